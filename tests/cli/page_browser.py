"""The pages in a real browser. Prints a line per check: "ok TITLE" or "not ok TITLE: WHY".

    page_browser.py STORY FOLDER     (STORY is the name of a function below, in FOLDER are its pages)
"""

import json
import os
import sys

from browser import Browser

WIDTHS = (390, 820, 1280)


def check(title, passes, why=""):
    print(("ok " if passes else "not ok ") + title + ("" if passes else ": " + str(why)[:500].replace("\n", " ")), flush=True)


def equal(title, got, wanted):
    check(title, got == wanted, f"{got!r} is not {wanted!r}")


def row_count(page):
    return int(page.run("document.querySelector('table[role=table]').getAttribute('aria-rowcount')")) - 1


def status(page):
    return page.run("document.querySelector('.status').textContent")


def cell(page, row, column):
    return page.run(f"document.querySelectorAll('.scroll')[0].querySelectorAll('tbody tr')[{row}].cells[{column}].textContent")


def lists(browser, folder):
    """Search, filter and sort, driven by keyboard and mouse."""
    page = browser.open(folder + "/diff.html")
    with open(folder + "/diff.json") as f:
        diff = json.load(f)
    total = len(diff["changes"])
    equal("the browser reports nothing", page.problems(), [])
    equal("only the file itself is requested", [u.split("/")[-1] for u in page.requests()], ["diff.html"])
    equal("all changes are there", row_count(page), total)
    page.press("/", 191, "/")
    equal("/ goes to the search", page.run("document.activeElement.type"), "search")
    page.type("person310@")
    page.until("document.querySelector('.status').textContent.includes(' of ')")
    found = sum("person310@" in json.dumps(c) for c in diff["changes"])
    equal("the search finds a lead", status(page), f"{found} of {total} changes")
    check("its row is shown", "person310@example.com" in cell(page, 0, 1), cell(page, 0, 1))
    for _ in range(10):
        page.press("Backspace", 8)
    page.until(f"document.querySelector('.status').textContent === '{total} changes'")
    page.click(".switches button.update")
    updates = sum(c["op"] == "update" for c in diff["changes"])
    equal("a filter shows one operation", row_count(page), updates)
    equal("what differs is marked", page.run(
        "[...document.querySelectorAll('td.fields')].some(c => c.querySelector('del, ins'))"), True)
    equal("the switch says that it is on", page.run("document.querySelector('.switches button.update').ariaPressed"), "true")
    equal("the count is a live region", page.run("document.querySelector('.status').getAttribute('role')"), "status")
    page.click(".switches button.update")
    equal("and off again", row_count(page), total)
    page.click("thead th.number button")
    first = cell(page, 0, 4)
    page.click("thead th.number button")
    equal("the head says how it is sorted", page.run("document.querySelector('thead th.number').ariaSort"), "descending")
    rows = [c["row"] for c in diff["changes"] if c["row"]]
    equal("sorted by row", (first, cell(page, 0, 4)), (str(min(rows)), f"{max(rows):,}"))
    page.run("document.querySelector('.scroll thead th button').focus()")
    page.press("Enter", 13, "\r")
    equal("a head is sorted by keyboard", page.run("document.querySelector('.scroll thead th').ariaSort"), "ascending")


def shown(browser, folder):
    """Widths, colours, print, and without script."""
    for name in ("diff", "run", "verify", "results"):
        path = f"{folder}/{name}.html"
        for width in WIDTHS:
            page = browser.open(path, width=width)
            wide = page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            equal(f"{name} fits {width} pixels", wide, 0)
            equal(f"{name} has no problem at {width} pixels", page.problems(), [])
        page = browser.open(path, script=False)
        equal(f"{name} has no tools without script", page.run("document.querySelectorAll('.tools').length"), 0)
        check(f"{name} has rows without script", page.run("document.querySelectorAll('tbody[role] tr').length") > 0)
        equal(f"{name} has one heading", page.run("document.querySelectorAll('h1').length"), 1)
    page = browser.open(folder + "/diff.html", script=False)
    equal("without script the page says that rows are missing", page.run("document.body.innerText.includes('Without JavaScript')"),
          True)
    light = browser.open(folder + "/diff.html")
    colour = "getComputedStyle(document.body).backgroundColor"
    before = light.run(colour)
    light.media(dark=True)
    check("dark mode is dark", light.run(colour) != before and sum(map(int, light.run(colour)[4:-1].split(","))) < 200)
    light.media(media="print")
    equal("print has no tools", light.run("getComputedStyle(document.querySelector('.tools')).display"), "none")
    equal("print is on white", light.run(colour), "rgb(255, 255, 255)")
    light.call("Emulation.setDeviceMetricsOverride", width=720, height=1000, deviceScaleFactor=1, mobile=False)
    equal("print fits a sheet", light.run("document.documentElement.scrollWidth - document.documentElement.clientWidth"), 0)
    light.pdf(folder + "/diff.pdf")
    check("print makes pages", os.path.getsize(folder + "/diff.pdf") > 10000)


def hostile(browser, folder):
    """A page that would change its title, or report a refusal of its policy, if any value were more than text."""
    for script in (True, False):
        page = browser.open(folder + "/hostile.html", script=script)
        with_script = "with script" if script else "without script"
        equal(f"the title is untouched {with_script}", page.run("document.title"), "Dry run of hostile")
        equal(f"nothing was refused, because nothing was tried {with_script}", page.problems(), [])
        equal(f"no element came from a value {with_script}",
              page.run("document.querySelectorAll('img, iframe, form, svg script, a:not(.skip), style ~ style').length"), 0)
        equal(f"the scripts are those of the page {with_script}",
              page.run("[...document.scripts].map(s => s.type || 'js').sort().join()"), "application/json,application/json,js")
        equal(f"nothing waits for a click {with_script}", page.run(
            "[...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => /^on|^style$/.test(a.name) && "
            "!(a.name === 'style' && e.closest('.gap')))).length"), 0)
        text = page.run("document.body.textContent")
        check(f"the markup is there as text {with_script}", "<script>document.title" in text)
        check(f"a bidi mark is shown {with_script}", "\\u{202e}" in text and "\u202e" not in text)
        check(f"a long cell is cut {with_script}", "more characters)" in text and "x" * 700 not in text)


def large(browser, folder):
    """100 000 changes: scrolling to the end, and the search. The time is only shown, since machines differ."""
    page = browser.open(folder + "/large.html")
    metrics = {m["name"]: m["value"] for m in page.call("Performance.getMetrics")["metrics"]}
    size = os.path.getsize(folder + "/large.html") / 1e6
    print(f"# 100 000 changes, {size:.0f} MB: ready after {page.load_s:.2f} s, {metrics['TaskDuration']:.2f} s of processor time", flush=True)
    equal("all of them are in the list", row_count(page), 100000)
    page.run("(() => { const b = document.querySelector('.scroll'); b.scrollTop = b.scrollHeight; })()")
    page.until("[...document.querySelectorAll('tbody tr')].pop().ariaRowIndex === '100001'")
    check("the last row is shown after scrolling", True)
    rows = page.run("document.querySelectorAll('tbody tr').length")
    check("only rows near the view are elements", rows < 3000, rows)
    check("the page says that there are more", "This page holds the first 100,000 changes of 100,002" in
          page.run("document.body.innerText"))
    page.press("/", 191, "/")
    page.type("person99999@")
    page.until("document.querySelector('.status').textContent === '1 of 100,000 changes'")
    check("the search looks at all of them", True)


def accessible(browser, folder):
    """axe-core, light and dark, with and without script."""
    with open(os.environ["AXE"]) as f:
        axe = f.read()
    for name in ("diff", "run", "verify", "results", "hostile"):
        for dark in (False, True):
            page = browser.open(f"{folder}/{name}.html", dark=dark)
            page.run(axe + "; 0")
            found = page.run("axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html + ' ' + "
                             "n.any.map(a => a.message).join()).join(' | ')))")
            equal(f"axe finds nothing on {name}, {'dark' if dark else 'light'}", found, [])


def main():
    story, folder = sys.argv[1:]
    with Browser() as browser:
        globals()[story](browser, folder)


if __name__ == "__main__":
    main()
