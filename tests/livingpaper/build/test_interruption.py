"""Whatever ends a build, nothing goes on running, nothing finished is lost, and the same command continues."""

import re
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest


def gone(book, seconds=10):
    """Whether no worker and no kernel of the book runs any more after a while."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not book.processes():
            return True
        time.sleep(0.1)
    return False


def held_build(book, *arguments):
    """A build whose second chapter has stored its first batch and hangs in its second."""
    book.calls_file.unlink(missing_ok=True)
    book.hold.touch()
    process = book.start("build", *arguments)
    book.wait_until_held(process)
    assert len(book.processes()) >= 3  # the command, the worker, the kernel
    return process


def test_kill_9_leaves_no_process_and_the_same_command_continues_where_it_stopped(built, benign, no_pages):
    before, published = built.files(), (built.site / "figures/tab-throws.csv").read_text()
    built.edit("chapters/first.ipynb", "range(n)]", "range(n + 0)]")
    built.edit("src/needle/experiments/throws.py", "time.sleep(0.05)", "time.sleep(0.06)")
    process = held_build(built, "--jobs", "1")
    process.send_signal(signal.SIGKILL)
    said, _ = process.communicate(timeout=20)
    assert said.index("first: done") < said.index("second: starting")  # one job: one after the other
    assert gone(built)
    assert built.files() == before
    built.hold.unlink()

    said = benign("build", "--jobs", "1")
    assert said.status == 0, said.errors
    assert "first: fresh" in said.text and "1 of 2 chapters executed" in said.text
    # only the hung batch again
    assert sorted(built.calls) == ["1 0", "1 1", "2 0", "2 0", "2 1", "2 1", "3 0", "3 1"]
    folder = re.search(r"record of the run: (.*)", benign("run", "second").text)[1]
    assert Path(folder, "figures/tab-throws.csv").read_text() == published  # as it was built with two jobs


def test_a_polite_kill_stops_everything_and_says_how_to_go_on(built, benign):
    before = built.files()
    built.edit("src/needle/experiments/throws.py", "time.sleep(0.05)", "time.sleep(0.06)")
    process = held_build(built)

    said = benign("build", "--time-limit", "1")  # a second build at the same time
    assert said.status == 1
    assert re.search("another build is at work in .*_build: wait for it, or stop it", said.errors)
    assert benign("build", "--dry-run").status == 0

    process.send_signal(signal.SIGTERM)
    for _ in range(100):  # and somebody hammers on Ctrl-C while it clears up
        time.sleep(0.002)
        process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 143
    assert said.endswith("interrupted: finished work is kept, the same command continues\n")
    assert "Traceback" not in said
    assert gone(built, seconds=1)  # at once, not when each notices by itself
    assert built.files() == before


def test_a_kill_while_pages_are_rendered_leaves_the_old_site_and_no_process(built):
    before = built.files()
    built.edit("intro.md", "# A book", "# Another book")
    process = built.start("build")
    while not any("livingpaper.build.renderer" in one.cmdline() for one in built.processes()):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    process.kill()
    process.communicate(timeout=20)
    assert gone(built, seconds=2.5)  # rendering to the end takes longer
    assert built.files() == before


def test_serve_answers_on_this_machine_only_and_stops_on_ctrl_c(built):
    process = built.start("serve", "--port", "0")
    line = process.stdout.readline()
    address = re.search(r"http://127\.0\.0\.1:(\d+)/", line)[0]
    with urllib.request.urlopen(f"{address}chapters/first.html", timeout=60) as page:
        assert "Plain words." in page.read().decode()
        assert page.headers["Cache-Control"] == "no-cache"
    (built.site / ".git").mkdir()
    for name in (".secret", ".git/config"):
        (built.site / name).write_text("secret")
    (built.site / "out.txt").symlink_to(built.root / "LICENSE")
    for path in (".secret", "%2esecret", ".git/config", "chapters/../.git/config", "figures/", "out.txt"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{address}{path}", timeout=60)
    with pytest.raises(urllib.error.HTTPError, match="403"):  # a foreign name that leads here
        urllib.request.urlopen(urllib.request.Request(address, headers={"Host": "example.org"}), timeout=60)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 0 and said.endswith("stopped\n")
