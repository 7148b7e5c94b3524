"""The computed error of averaging, beside the errors that the same sample's test points count."""

import pytest
from scipy import stats

from benign.errors import InputError
from benign.experiments.averaging_noise import AveragingNoise
from benign.experiments.other_noise import OtherNoise

SMALL = dict(n=12, p=300, signal_index=4.0, label_noise=0.25, seed=3)


@pytest.mark.parametrize("noise", ["gaussian", "power(0.5)", "spiked(3, 10)", "student_t(3)"])
def test_it_is_what_counting_finds(noise):
    (table,) = AveragingNoise.run([AveragingNoise(**SMALL, noise=noise)])
    points = 20_000
    (counted,) = OtherNoise.run([OtherNoise(**SMALL, noise=noise, width=2, steps=0, test_points=points)])
    wrong = int(counted.averaging_test_errors[0])
    assert stats.binomtest(wrong, points, table.test_error[0]).pvalue > 1e-4
    assert table.squared_variances[0] == pytest.approx(counted.squared_variances[0])


def test_other_laws_are_refused():
    with pytest.raises(InputError, match="it must be gaussian"):
        AveragingNoise(**SMALL, noise="laplace")
