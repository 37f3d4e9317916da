"""From a drag on the latent plane to the picture, in a browser.

    python -m benchmarks.explore [--epochs N] [--moves N] [--screenshot FILE]

``wellposed explore`` runs as users run it, on the digits (8 x 8) and on MNIST (28 x 28, two layers
of 500); headless Chromium drags the pointer over its plane some sixty times a second. Each pointer
event is timed from the browser's own stamp on it until a picture at least as new has been painted:
until after the frame that shows it. Needs chromium, chromedriver, selenium and the `explore` extra.
"""

import argparse
import base64
import contextlib
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.service import Service

import wellposed as wp

from .data import FILES, LABELS, images, root

MEDIAN_MS, MOST_MS = 50, 120
WIDTH, HEIGHT = 1280, 1000
# A frame has been painted once a message sent from within it arrives.
LISTEN = """
const waiting = [];
window.waits = [];
window.asked = [];
document.addEventListener("asked", ({detail}) => {
  waiting.push(detail);
  window.asked.push(detail.at);
});
document.addEventListener("painted", ({detail}) => requestAnimationFrame(() => {
  const {port1, port2} = new MessageChannel();
  port1.onmessage = () => {
    const now = performance.now();
    while (waiting.length && waiting[0].version <= detail.version)
      window.waits.push(now - waiting.shift().at);
  };
  port2.postMessage(null);
}));
"""


def main() -> None:
    """Measure and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--epochs", type=int, default=1)
    options.add_argument("--moves", type=int, default=400)
    options.add_argument("--screenshot", type=Path, help="of the page on MNIST, a .png file")
    given = options.parse_args()
    print(
        f"{'drag to picture, ms':24} {'events':>6} {'median':>7} {'95 %':>7} {'worst':>7}  verdict"
    )
    with tempfile.TemporaryDirectory() as folder, browser() as driver:
        for name, (data, model) in fit_models(Path(folder), given.epochs).items():
            with serve(model, data) as url:
                driver.get(url)
                row(name, *drag(driver, given.moves))
                if given.screenshot is not None and name.startswith("MNIST"):
                    given.screenshot.write_bytes(take_picture(driver))


def row(name: str, waits: np.ndarray, rate: float) -> None:
    """Print one line of the table."""
    median, most = np.median(waits), np.quantile(waits, 0.95)
    verdict = "met" if median <= MEDIAN_MS and most <= MOST_MS else "missed"
    figures = f"{len(waits):6} {rate:8.0f} {median:7.1f} {most:7.1f} {waits.max():7.1f}"
    print(f"{name:24} {figures}  {verdict} (limits {MEDIAN_MS} and {MOST_MS})", flush=True)


def fit_models(folder: Path, epochs: int) -> dict[str, tuple[str, Path]]:
    """Fit a model to each set of images; return its data's name and its file."""
    os.environ["WELLPOSED_CACHE"] = str(folder / "cache")  # where data sets are found by name
    mnist = folder / "cache" / "mnist"
    mnist.mkdir(parents=True)
    for part in (FILES, LABELS):
        for file in part.values():
            (mnist / file).symlink_to(root() / "mnist" / file)
    cases = {
        "digits 64-256-256-10": ("digits", wp.datasets.load_digits().values, (8, 8), (256, 256)),
        "MNIST 784-500-500-10": ("mnist", images("mnist", "train"), (28, 28), (500, 500)),
    }
    found = {}
    for name, (data, values, shape, hidden) in cases.items():
        path = folder / f"{data}.wp"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            settings: dict[str, Any] = {"hidden": hidden, "max_epochs": epochs, "progress": False}
            wp.VAE(10, image_shape=shape, random_state=0, **settings).fit(values).save(path)
        found[name] = (data, path)
    return found


@contextlib.contextmanager
def serve(model: Path, data: str) -> Iterator[str]:
    """Run the command, yield its address, and end it."""
    command = [sys.executable, "-m", "wellposed", "explore", str(model), data, "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.match(r"http://\S+", process.stdout.readline())
            if found is None:
                raise SystemExit("wellposed explore has not started")
            yield found[0]
        finally:
            process.terminate()


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """Yield headless Chromium."""
    options = webdriver.ChromeOptions()
    for option in ("--headless=new", "--disable-gpu", f"--window-size={WIDTH},{HEIGHT}"):
        options.add_argument(option)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    # Given explicitly, since selenium would otherwise search the network.
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def drag(driver: Any, moves: int) -> tuple[np.ndarray, float]:
    """Drag along a spiral; return the wait of each pointer event in ms, and events a second."""
    time.sleep(1)
    driver.execute_script(LISTEN)
    plane = driver.find_element("id", "plane")
    reach = 0.3 * plane.size["width"]
    # One chain for the driver, since a call for each move would use the same two cores.
    chain = ActionChains(driver, duration=0)
    chain.move_to_element(plane).click_and_hold()
    before = np.zeros(2)
    for share in np.arange(1, moves + 1) / moves:
        angle = 12 * math.pi * share
        here = np.round(reach * share * np.array([math.cos(angle), math.sin(angle)]))
        chain.move_by_offset(*(here - before).astype(int).tolist())
        before = here
    chain.release().perform()
    time.sleep(0.5)
    waits = np.array(driver.execute_script("return window.waits"))
    if len(waits) < moves // 2:
        raise SystemExit(f"of {moves} moves only {len(waits)} were answered")
    asked = np.array(driver.execute_script("return window.asked"))
    return waits, float(1e3 / np.median(np.diff(asked)))


def take_picture(driver: Any) -> bytes:
    """Select a datum and return a picture of the whole page."""
    plane = driver.find_element("id", "plane")
    plane.send_keys("\ue007")  # Enter
    time.sleep(1)
    height = driver.execute_script("return document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1}
    settings = {"captureBeyondViewport": True, "clip": clip}
    return base64.b64decode(driver.execute_cdp_cmd("Page.captureScreenshot", settings)["data"])


if __name__ == "__main__":
    main()
