"""The demo as somebody sees it who has just started it, and the two pictures of the README.

Invariant: the pictures are of .build/screenshots; whoever wants them in docs/images copies them there.
Not here: what the page promises of any market (checks.py).
"""

TOKEN = "Velvet-Harbor.demo"
# A picture that is shown in the README is no larger.
PICTURE_BYTES = 200_000
# How long nothing may be traded, on a machine with much else to do.
QUIET_SECONDS = 60


def demo_pictures(stage):
    """Two weeks of candles in both themes, said to be synthetic, and trades that come in."""
    from stage import Server
    server = Server(stage.program, str(stage.folder / "demo"), "--assets", str(stage.root / ".build/assets"), "--demo")
    own, stage.server = stage.server, server
    try:
        stage.width(1200)
        for theme in ("dark", "light"):
            stage.theme(theme)
            stage.token(TOKEN, "?interval=1h")
            stage.until(lambda: stage.find("#price").text.startswith("$") and len(stage.all("#windows tbody tr")) == 5, "figures")
            stage.until(lambda: "Vol" in stage.find("#readout").text, "the newest candle is read out")
            assert "Synthetic" in stage.find("#notice").text and stage.find("#notice").is_displayed()
            assert len(stage.drawn()) > 300, len(stage.drawn())
            chart = stage.script("const at = document.getElementById('chart').getBoundingClientRect(); return [at.top, at.bottom]")
            assert chart[0] > 0 and chart[1] <= 800, f"the chart is not seen at once: {chart}"
            stage.screenshot(f"readme-{theme}")
            size = (stage.screenshots / f"readme-{theme}.png").stat().st_size
            assert size < PICTURE_BYTES, f"{size} bytes"
        trades = lambda: server.token(TOKEN, "/trades", limit=1)["trades"][0]["block"]
        before = trades()
        stage.until(lambda: trades() > before, "a trade comes in", QUIET_SECONDS)
        # On the page as well: the newest trade stands first.
        shown = lambda: stage.find("#trades tbody tr").text
        first = shown()
        stage.until(lambda: shown() != first, "the page moves", QUIET_SECONDS)
        stage.open("/")
        stage.until(lambda: len(stage.all("#tokens tbody tr")) == 36, "all tokens")
        stage.screenshot("demo-list")
        stage.accessible("the demo's list")
    finally:
        stage.width(None)
        stage.theme("light")
        stage.server = own
        server.end()
