"""The search finds claims and figures by their words, on a server and from disk."""

import json
from urllib.parse import quote

import pytest


def hits(page, query):
    page.goto(f"search.html?q={quote(query)}")
    page.get_by_text("Search finished").wait_for()
    return {link.get_attribute("href"): link.inner_text() for link in page.locator("ul.search li > a").all()}


def some(site, kind, file):
    content = json.loads((site / file).read_text())[kind]
    return [content[0], content[len(content) // 2], content[-1]]


def test_the_words_of_a_claim_lead_to_it(page):
    found = hits(page, "undying ReLU")
    address = "chapters/assumptions.html#claim-undying-relu-ends"
    assert found[address].startswith("Claim ") and "undying ReLU needs the signal wall" in found[address]
    page.locator(f"ul.search a[href='{address}']").click()
    page.locator("#claim-undying-relu-ends").wait_for()


def test_the_number_of_a_claim_leads_to_it(page, site):
    for claim in some(site, "claims", "claims.json"):
        found = list(hits(page, f"Claim {claim['number']}").items())
        assert (claim["page"], True) in [(href, words.startswith(f"Claim {claim['number']},")) for href, words in found]


def test_the_words_of_a_caption_lead_to_its_figure(page, site):
    for figure in some(site, "figures", "figures/index.json"):
        words = [word for word in figure["caption"].split() if word.isalpha()][:4]
        assert figure["page"] in hits(page, " ".join(words)), (figure["id"], words)


def test_what_a_chapter_says_often_folds_below_the_first_few(page):
    found = hits(page, "claim")
    shown = page.locator("ul.search > li > a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    first = [href for href in shown if href.startswith("chapters/assumptions.html#claim-")]
    every = [href for href in found if href.startswith("chapters/assumptions.html#claim-")]
    assert len(first) == 3 < len(every)
    folded = page.locator(f"ul.search > li:has(> a[href='{first[-1]}']) > details")
    assert folded.locator("summary").inner_text() == f"{len(every) - 3} more claims of this chapter"
    assert not page.locator(f"ul.search a[href='{every[-1]}']").is_visible()
    folded.locator("summary").click()
    page.locator(f"ul.search a[href='{every[-1]}']").click()
    page.locator(every[-1].partition(".html")[2]).wait_for()


def test_claims_come_behind_what_is_called_so_and_before_what_mentions_it(page):
    order = list(hits(page, "assumptions"))
    claims = [order.index(href) for href in order if "#claim-" in href]
    assert claims and order.index("chapters/assumptions.html") < min(claims)
    assert max(claims) < order.index("chapters/phenomenon.html")


def test_chapters_come_in_their_order_and_before_the_code(page):
    found = hits(page, "margin")
    order = [href.partition("#")[0] for href in found]
    code = [place for place, href in enumerate(order) if "/api/" in href]
    assert code and code == list(range(len(order) - len(code), len(order)))
    titled = [int(words.split(".")[0]) for href, words in found.items() if "#" not in href and words[:1].isdigit()]
    assert titled.index(4) < titled.index(9) < titled.index(13)


@pytest.mark.parametrize("query", ["undying ReLU", "logistic"])
def test_it_works_from_disk(new_page, site, query):
    page = new_page()
    page.goto(f"{(site / 'search.html').as_uri()}?q={quote(query)}")
    page.get_by_text("Search finished").wait_for()
    assert page.locator("ul.search > li").count() >= 2
