"""From the code of a chapter to the entry of a name, to its source, and back."""

import re


def test_a_name_in_a_code_cell_leads_to_its_entry_and_on_to_its_source(page):
    page.goto("chapters/phenomenon.html")
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    page.locator("a.sphinx-codeautolink-a", has_text="PollutedClusters").first.click()
    assert page.url.endswith("chapters/api/experiments.html#benign.experiments.clusters.PollutedClusters")
    entry = page.locator("[id='benign.experiments.clusters.PollutedClusters']")
    assert entry.is_visible()
    entry.locator("a", has_text="[source]").click()
    assert re.search(r"_modules/benign/experiments/clusters\.html#PollutedClusters$", page.url)
    block = page.locator("[id='PollutedClusters']")
    assert block.is_visible() and "class PollutedClusters" in block.inner_text()
    block.locator("a.viewcode-back").first.click()
    assert page.url.endswith("chapters/api/experiments.html#benign.experiments.clusters.PollutedClusters")


def test_the_source_of_a_figure_is_beside_its_code(page):
    page.goto("chapters/phenomenon.html")
    legend = page.locator("#fig-trajectories .figure-links")
    legend.get_by_text("source", exact=True).click()
    assert page.url.endswith("_modules/chapters/phenomenon.html#cell-trajectories-figure")
    assert 'say.figure("fig-trajectories"' in page.locator("#cell-trajectories-figure").inner_text()


def test_a_book_without_a_repository_offers_no_launch_button(page):
    page.goto("chapters/phenomenon.html")
    assert page.locator(".dropdown-launch-buttons").count() == 0
