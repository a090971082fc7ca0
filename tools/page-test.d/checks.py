"""What the page promises, a function each; they run in this order, on one market.

Invariant: what is drawn is compared with the API's answer to the same question.
Not here: server and browser (stage.py).
"""

import datetime
import decimal as decimals
import json
import random
import shlex
import time

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from demo import demo_pictures

HOSTILE = "<img src=x onerror=alert(1)>/%2e\"'"
# Each token with the power of ten that its price is about.
SIZES = {"ATTO": -18, "NANO": -9, "UNIT": 0, "GIGA": 9}
HOURS = 700
# What is to come within a second has so long on a machine that others use too; how long it took is printed. Without a stream the page asks every
# second.
LIVE_SECONDS = 5.0
POLLED_SECONDS = 8.0


def instant(when):
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def decimal(digits, exponent):
    """digits × 10^exponent, without a power of ten."""
    if exponent >= 0:
        return str(digits) + "0" * exponent
    text = str(digits).rjust(1 - exponent, "0")
    return text[:exponent] + "." + text[exponent:]


def trade(token, block, when, price_digits, exponent, wallet="0xaa01", side="buy"):
    """A trade whose price is price_digits × 10^exponent, of enough tokens for both amounts to be exact."""
    tokens = max(0, min(15, -exponent))
    return {
        "chain": 7, "block": block, "timestamp": instant(when), "token": token, "side": side, "wallet": wallet,
        "amount_usd": decimal(price_digits, exponent + tokens), "token_amount": "1" + "0" * tokens}


def market():
    """Hourly trades of UNIT for a month, and a day of each other token."""
    draw, rows, block = random.Random(7), [], 100
    start = now().replace(minute=0, second=0, microsecond=0) - datetime.timedelta(hours=HOURS)
    for hour in range(HOURS):
        for minute in (1, 20, 40):
            block += 1
            rows.append(trade(
                "UNIT", block, start + datetime.timedelta(hours=hour, minutes=minute), draw.randint(9000, 11000), -4,
                draw.choice(["0xaa01", "0xbb02", "0xcc03"]), draw.choice(["buy", "sell"])))
    for token in [*SIZES, HOSTILE]:
        if token == "UNIT":
            continue
        exponent = SIZES.get(token, 0)
        for hour in range(0, 24, 2):
            block += 1
            digits, shift = (draw.randint(1, 9), 0) if exponent == -18 else (draw.randint(1000, 9999), -3)
            rows.append(trade(token, block, start + datetime.timedelta(hours=HOURS - 26 + hour), digits, exponent + shift))
    return rows


def same(stage, token, interval, **names):
    """Whether the chart has drawn the API's candles."""
    rows = stage.server.token(token, "/candles", interval=interval, limit=5000, **names)["candles"]
    drawn = stage.drawn()
    shift = stage.script("return document.getElementById('chart').continuoChart.shift()")
    if len(drawn) == 0 or len(drawn) > len(rows):
        return False
    for bar, row in zip(drawn, rows[len(rows) - len(drawn):]):
        when = datetime.datetime.fromisoformat(row["bucket"].replace("Z", "+00:00")).timestamp()
        if bar["time"] != when or any(bar[name] != float(decimals.Decimal(row[name]).scaleb(shift)) for name in ("open", "high", "low", "close")):
            return False
    return True


def empty(stage):
    """Without tokens the page teaches: its command is sent, a file is chosen, one is dropped."""
    stage.open("/")
    stage.until(lambda: stage.find("#command").text, "the command is there")
    stage.screenshot("empty")
    stage.accessible("empty")
    words = shlex.split(stage.find("#command").text)
    assert words[0] == "curl" and words[-1] == stage.server.url + "/v1/events", words
    stage.server.ask("/v1/events", body=words[words.index("--data") + 1], kind="application/x-ndjson")
    stage.until(lambda: [row.text for row in stage.all("#tokens a")] == ["ART"], "the first token is listed")
    header = "block,timestamp,token,side,amount_usd,token_amount\n"
    file = stage.folder / "trades.csv"
    file.write_text(header + f"5,{instant(now())},CHOSEN,buy,1,1\n6,{instant(now())},CHOSEN,long,1,1\n")
    stage.find("#file").send_keys(str(file))
    stage.until(lambda: "1 accepted, 0 duplicates, 1 rejected" in stage.find("#receipt").text, "a chosen file is taken")
    stage.script("""
        const data = new DataTransfer();
        data.items.add(new File([arguments[0]], "dropped.csv"));
        document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
        """, header + f"7,{instant(now())},DROPPED,sell,1,1\n")
    stage.until(lambda: "dropped.csv: 1 accepted" in stage.find("#receipt").text, "a dropped file is taken")
    stage.until(lambda: len(stage.all("#tokens a")) == 3, "all three are listed")


def filled(stage):
    """The market that the other checks look at."""
    stage.server.events(market())
    stage.server.events([
        {"kind": "transfer", "chain": 7, "block": 50 + index, "timestamp": instant(now()), "token": "UNIT",
         "from": "0x0000000000000000000000000000000000000000", "to": wallet, "amount": amount}
        for index, (wallet, amount) in enumerate([("0xaa01", "750"), ("0xbb02", "250")])])


def ranking(stage):
    """The list: ranks, search, and names that are text whatever they are."""
    stage.open("/")
    for by in ("market-cap", "holders", "change-24h", "volume-24h"):
        stage.click(f"#by [value='{by}']")
        wanted = [row["token"] for row in stage.server.json(f"/v1/top?by={by}&limit=100")["top"]]
        stage.until(lambda: [link.text for link in stage.all("#tokens a")] == wanted, f"ranked by {by}")
    assert HOSTILE in wanted and not stage.all("#tokens img"), wanted
    stage.screenshot("list")
    stage.find("#search").send_keys("uNi")
    stage.until(lambda: [link.text for link in stage.all("#tokens a")] == ["UNIT"], "found by a part of the name")
    assert stage.browser.current_url.endswith("?q=uNi"), stage.browser.current_url
    stage.browser.refresh()
    stage.until(lambda: [link.text for link in stage.all("#tokens a")] == ["UNIT"], "the search is in the URL")
    stage.click("#tokens a")
    stage.until(lambda: stage.find("#name").text == "UNIT", "a token opens")


def sizes(stage):
    """Tokens at 1e-18, 1e-9, 1 and 1e9 USD: drawn as the API has them, every digit in the tooltip."""
    for token, exponent in SIZES.items():
        stage.token(token)
        assert same(stage, token, "1h"), token
        price = stage.server.token(token)["last_price_usd"]
        stage.until(lambda: stage.find("#price span"), "the price")
        assert stage.texts("#price span", "title")[0] == price, (token, price)
        start = {-18: "$0.0₁₇", -9: "$0.0₈", 0: "$", 9: "$"}[exponent]
        shown = stage.texts("#price span")[0]
        assert shown.startswith(start) and "e" not in shown, shown
        last = stage.server.token(token, "/candles", limit=1)["candles"][-1]
        titles = stage.texts("#readout [title]", "title")
        assert titles[:5] == [last[name] for name in ("bucket", "open", "high", "low", "close")], titles
        stage.screenshot("token-" + token.lower())
    stage.token(HOSTILE)
    assert stage.find("#name").text == HOSTILE and same(stage, HOSTILE, "1h")


def controls(stage):
    """Intervals, scales, gaps, zone: each changes what is drawn and is kept in the URL."""
    stage.token("NANO")
    for interval in ("4h", "1d", "15m", "1h"):
        stage.click(f"#interval [value='{interval}']")
        stage.until(lambda: same(stage, "NANO", interval), interval)
    for scale in ("log", "percent", "linear"):
        stage.click(f"#scale [value='{scale}']")
        assert ("scale=" + scale in stage.browser.current_url) == (scale != "linear")
    gaps = len(stage.drawn())
    stage.click("#fill")
    stage.until(lambda: len(stage.drawn()) > gaps and same(stage, "NANO", "1h", fill="previous"), "gaps are filled")
    stage.browser.refresh()
    stage.until(lambda: len(stage.drawn()) > gaps, "filled again from the URL")
    assert stage.find("#zone-name").text == "Times in UTC."
    stage.click("#zone")
    stage.until(lambda: "(UTC+" in stage.find("#zone-name").text, "the zone is written out")
    stage.token("UNIT", "?embed=1")
    assert not stage.find("#top").is_displayed() and stage.find("#chart").is_displayed()
    stage.until(lambda: stage.all("#tv-attr-logo"), "the attribution is there")
    box = stage.script("const b = document.getElementById('tv-attr-logo').getBoundingClientRect(); return [b.width, b.height]")
    assert box == [35, 19], f"the logo's own style is let in: {box}"
    stage.screenshot("embed")


def keyboard(stage):
    """The keyboard alone walks the candles, a live region speaks them, older ones come, Enter explains."""
    stage.token("UNIT")
    for _ in range(60):
        ActionChains(stage.browser).send_keys(Keys.TAB).perform()
        if stage.script("return document.activeElement.id") == "chart":
            break
    rows = stage.server.token("UNIT", "/candles", limit=5000)["candles"]
    ActionChains(stage.browser).send_keys(Keys.ARROW_LEFT * 3).perform()
    row = rows[-3]
    stage.until(lambda: f"close {row['close']}, " in stage.find("#spoken").text, "the candle is spoken")
    assert stage.find("#spoken").get_attribute("role") == "status"
    assert stage.texts("#readout [title]", "title")[0] == row["bucket"]
    ActionChains(stage.browser).send_keys(Keys.ENTER).perform()
    stage.until(lambda: stage.script("return document.activeElement.id") == "why-title", "why is shown")
    events = stage.server.token("UNIT", "/explain", interval="1h", bucket=row["bucket"])["events"]
    shown = stage.script("return [...document.querySelectorAll('#events tbody tr')].map((line) => [...line.cells].map((cell) => cell.innerText))")
    assert [(line[0], line[4]) for line in shown] == [(event["role"], str(event["block"])) for event in events], shown
    stage.accessible("why")
    stage.click("#why-close")
    assert len(stage.drawn()) < len(rows)
    ActionChains(stage.browser).send_keys(Keys.HOME).perform()
    stage.until(lambda: len(stage.drawn()) == len(rows) and same(stage, "UNIT", "1h"), "all older candles came")


def pointer(stage):
    """A click on a candle tells why; the files are what the API answers as CSV."""
    stage.token("UNIT")
    row = stage.server.token("UNIT", "/candles", limit=10)["candles"][0]
    x = stage.script("return document.getElementById('chart').continuoChart.x({bucket: arguments[0]})", row["bucket"])
    chart = stage.find("#chart")
    ActionChains(stage.browser).move_to_element_with_offset(chart, x - chart.size["width"] / 2, 0).click().perform()
    stage.until(lambda: stage.find("#why").is_displayed(), "why is shown")
    assert "why=" in stage.browser.current_url
    assert stage.texts("#readout [title]", "title")[0] == row["bucket"]
    file = stage.folder / "UNIT-1h.csv"
    stage.click("#save-candles")
    stage.until(lambda: file.is_file() and file.stat().st_size > 0, "the file is there")
    wanted = stage.server.ask("/v1/tokens/UNIT/candles?limit=500", accept="text/csv")
    assert file.read_text() == wanted, "the file is the API's CSV"


def tables(stage):
    """Windows, trades, holders and candles below the chart."""
    stage.token("UNIT")
    stage.until(lambda: len(stage.all("#windows tbody tr")) == 5, "five windows")
    stats = stage.server.token("UNIT", window="7d")["windows"]["7d"]
    last = stage.texts("#windows tbody tr:last-child td")
    assert last[0] == "7d" and last[3:] == [str(stats[name]) for name in ("buys", "sells", "traders")], last
    stage.until(lambda: len(stage.all("#trades tbody tr")) == 50, "trades")
    stage.click("#more")
    stage.until(lambda: len(stage.all("#trades tbody tr")) == 200, "more trades")
    stage.click("#tab [value='holders']")
    stage.until(lambda: [row.text.split()[1:] for row in stage.all("#holders tbody tr")] ==
                [["0xaa01", "750", "75%"], ["0xbb02", "250", "25%"]], "holders")
    stage.click("#tab [value='candles']")
    stage.until(lambda: len(stage.all("#candles tbody tr")) == 50, "candles")


def live(stage):
    """A trade, a late one and a rollback reach a drawn chart."""
    stage.token("NANO", "?interval=1m")
    seconds = LIVE_SECONDS if stage.has_stream else POLLED_SECONDS
    for block, when, what in [
            (90_001, now(), "a trade"), (90_002, now() - datetime.timedelta(hours=5), "a late trade")]:
        before = stage.drawn()
        stage.server.events([trade("NANO", block, when, 5555, -12)])
        took = stage.until(lambda: stage.drawn() != before and same(stage, "NANO", "1m"), what, seconds)
        print(f"  {what}: {took:.2f} s")
    before = stage.drawn()
    stage.server.ask("/v1/chains/7/rollback", body=json.dumps({"block": 90_000}))
    stage.until(lambda: stage.drawn() != before and same(stage, "NANO", "1m"), "a rollback", seconds)


def overtaken(stage):
    """An answer that a trade has overtaken on its way does not take it back."""
    stage.token("NANO", "?interval=1m")
    if not stage.has_stream:
        return
    stage.until(lambda: stage.texts("#live") == ["Live"], "the stream is open")
    time.sleep(0.5)
    stage.script("""
        const [real, held] = [window.fetch, (window.held = { count: 0 })];
        const gate = new Promise((open) => { held.open = open; });
        window.fetch = async (path, options) => {
            const reply = await real(path, options);
            if (String(path).includes("/candles")) { held.count += 1; await gate; }
            return reply;
        };""")
    # A bucket that the chart does not have: it asks for all again.
    stage.server.events([trade("NANO", 90_003, now() - datetime.timedelta(hours=7), 5556, -12)])
    stage.until(lambda: stage.script("return held.count") > 0, "an answer is on its way")
    stage.server.events([trade("NANO", 90_004, now(), 7777, -12)])
    newest = lambda: stage.server.token("NANO", "/candles", interval="1m", limit=1)["candles"][-1]["bucket"]
    stage.until(lambda: stage.drawn()[-1]["time"] == datetime.datetime.fromisoformat(newest().replace("Z", "+00:00")).timestamp(), "a trade")
    stage.script("held.open()")
    time.sleep(0.5)
    assert same(stage, "NANO", "1m"), "an answer took back what the stream had said"


def datafeed(stage):
    """TradingView's client: history is the API's, a trade is a live bar, a late one has it ask again."""
    stage.open("/")
    stage.script("""
        const code = document.createElement("script");
        code.src = "/udf/datafeed.js";
        code.onload = () => {
            const [feed, said] = [new ContinuoDatafeed(), (window.said = { ticks: [], resets: 0 })];
            const range = { from: 0, to: Math.floor(Date.now() / 1000) + 60, countBack: 500 };
            feed.onReady((config) => { said.config = config; });
            feed.searchSymbols("gig", "", "", (found) => { said.found = found; });
            feed.resolveSymbol("NOBODY", () => {}, (problem) => { said.unknown = problem; });
            feed.resolveSymbol("GIGA", (symbol) => {
                feed.getBars(symbol, "60", range, (bars) => { said.bars = bars; }, (problem) => { said.failed = problem; });
                feed.subscribeBars(symbol, "60", (bar) => said.ticks.push(bar), "one", () => { said.resets += 1; });
            }, (problem) => { said.failed = problem; });
        };
        document.head.append(code);""")
    stage.until(lambda: stage.script("return said.bars && said.config && said.found && said.unknown && said.ticks.length"), "the feed answers")
    said = stage.script("return said")
    assert said["found"][0]["symbol"] == "GIGA" and said["unknown"] == "unknown_symbol" and not said.get("failed"), said
    rows = stage.server.token("GIGA", "/candles", limit=500)["candles"]
    assert [(bar["time"], bar["close"]) for bar in said["bars"]] == [
        (datetime.datetime.fromisoformat(row["bucket"].replace("Z", "+00:00")).timestamp() * 1000, float(row["close"])) for row in rows]
    stage.server.events([trade("GIGA", 91_001, now(), 7, 9)])
    stage.until(lambda: stage.script("return said.ticks.at(-1).close") == 7e9, "a trade is a live bar", LIVE_SECONDS)
    resets = stage.script("return said.resets")
    stage.server.events([trade("GIGA", 91_002, now() - datetime.timedelta(hours=9), 8, 9)])
    stage.until(lambda: stage.script("return said.resets") > resets, "a late trade has it ask again", LIVE_SECONDS)


def tabs(stage):
    """Eight tabs, one of which has the connection; another takes it over."""
    first = stage.browser.current_window_handle
    handles = []
    for index in range(8):
        stage.browser.switch_to.new_window("tab")
        handles.append(stage.browser.current_window_handle)
        stage.open(f"/tokens/UNIT?interval={'1h' if index % 2 else '1d'}")
    query = "return navigator.locks.query().then((all) => all.held.map((lock) => lock.name))"
    stage.until(lambda: len(stage.script(query)) == 10, "nine tabs with the first, and one that leads")
    assert stage.script(query).count("continuo-stream") == 1
    stage.browser.switch_to.window(first)
    stage.open("/")
    for handle in handles[:-1]:
        stage.browser.switch_to.window(handle)
        stage.browser.close()
    stage.browser.switch_to.window(handles[-1])
    stage.until(lambda: sorted(name == "continuo-stream" for name in stage.script(query)) == [False, True], "the last one leads")
    stage.browser.close()
    stage.browser.switch_to.window(first)


def themes(stage):
    """axe-core in both themes, and what the switch does."""
    for theme in ("light", "dark"):
        stage.theme(theme)
        stage.open("/")
        stage.until(lambda: stage.all("#tokens a"), "the list")
        stage.accessible(f"list, {theme}")
        stage.token("UNIT", "?interval=4h")
        stage.accessible(f"token, {theme}")
        stage.screenshot("token-" + theme)
    page = "return getComputedStyle(document.body).backgroundColor"
    dark = stage.script(page)
    stage.click("#theme")
    assert stage.script(page) != dark and "theme=light" in stage.browser.current_url
    stage.theme("light")


def narrow(stage):
    """At 360 pixels nothing scrolls sideways, with every table in turn."""
    stage.width(360)
    try:
        bucket = stage.server.token("UNIT", "/candles", limit=1)["candles"][0]["bucket"]
        for path, table in [
                ("/", "tokens"), (f"/tokens/UNIT?why={bucket}", "events"), ("/tokens/UNIT?tab=holders", "holders"),
                ("/tokens/GIGA?interval=1d&scale=log", "trades"), ("/tokens/ATTO?tab=candles", "candles")]:
            stage.open(path)
            stage.until(lambda: stage.all(f"#{table} tbody td + td"), path)
            time.sleep(0.2)
            wide = stage.script("""
                return [...document.querySelectorAll("html, body, body *")]
                    .filter((one) => one.checkVisibility() && !one.closest(".unseen, #chart, thead") && one.scrollWidth > one.clientWidth + 1
                        && one.clientWidth > 0 && !["visible", "clip"].includes(getComputedStyle(one).overflowX) || one.scrollWidth > 360)
                    .map((one) => one.tagName + "#" + one.id + " " + one.className)""")
            assert not wide, f"{path}: {wide}"
            stage.screenshot("narrow-" + table)
    finally:
        stage.width(None)


def without_chart(stage):
    """A server without the chart's code: tables, and how to get it."""
    from stage import Server
    (stage.folder / "nothing").mkdir()
    server, own = Server(stage.program, str(stage.folder / "other"), "--assets", str(stage.folder / "nothing")), stage.server
    try:
        stage.server = server
        server.events([trade("UNIT", 1, now(), 5, 0)])
        stage.open("/tokens/UNIT")
        stage.until(lambda: len(stage.all("#candles tbody tr")) == 1 and stage.find("#candles").is_displayed(), "a table")
        assert stage.find("#no-chart").is_displayed() and not stage.find("#chart").is_displayed()
        # The browser says on the console that the code is not there: it is not.
        stage.open("/licenses")
        stage.browser.get_log("browser")
        assert "TradingView" in stage.find("body").text
        stage.no_console_errors()
    finally:
        stage.server = own
        server.end()


FIRST = [empty, filled]
ALL = [*FIRST, ranking, sizes, controls, keyboard, pointer, tables, datafeed, overtaken, live, tabs, themes, narrow, without_chart, demo_pictures]
