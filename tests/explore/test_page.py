"""The page in a real browser: every part of it is clicked, dragged and typed into."""

import json

import numpy as np
import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from serving import ask, in_thread, scene

from browser import SCHEMES, WIDTHS, barriers, complaints, look_like, needs_browser, opened_browser

pytestmark = needs_browser

K = 12  # two on the plane, eight sliders, two in the fold
LOOKS = ("mean", "one draw", "quantile")
# Counts questions and answers, so that a test knows when the page is at rest.
LISTENED = """
window.seen = {asked: 0, painted: 0};
for (const name of ["asked", "painted"])
  document.addEventListener(name, event => { window.seen[name] = event.detail.version; });
"""
CONTENT = """
// On a copy: reading the page's own canvas would slow it, and its console says so.
const shown = document.querySelector(`canvas[aria-label="${arguments[0]}"]`);
const copy = new OffscreenCanvas(shown.width, shown.height)
  .getContext("2d", {willReadFrequently: true});
copy.drawImage(shown, 0, 0);
return [...copy.getImageData(0, 0, shown.width, shown.height).data].filter((_, i) => i % 4 === 0);
"""


class Page:
    """The page, and what can be done with it."""

    def __init__(self, driver, server):
        self.driver, self.server = driver, server
        driver.get(server.url)
        self.wait(lambda: self.text("where"))
        driver.execute_script(LISTENED)
        self.press(Keys.HOME)

    def wait(self, true):
        return WebDriverWait(self.driver, 20, poll_frequency=0.05).until(lambda _: true())

    def one(self, name):
        return self.driver.find_element(By.ID, name)

    def text(self, name):
        return self.one(name).text

    def rest(self):
        """Wait until what was asked last is painted, and the words beside it are."""
        script = "return window.seen.asked > 0 && window.seen.asked === window.seen.painted"
        self.wait(lambda: self.driver.execute_script(script))
        self.driver.execute_async_script("requestAnimationFrame(arguments[0])")

    def press(self, *keys):
        self.one("plane").send_keys(*keys)
        self.rest()

    def drag(self, *, start=(0, 0), by, steps=4, element="plane"):
        chain = ActionChains(self.driver, duration=10)
        chain.move_to_element_with_offset(self.one(element), *start).click_and_hold()
        for _ in range(steps):
            chain.move_by_offset(by[0] / steps, by[1] / steps)
        chain.release().perform()
        self.rest()

    def picture(self, name):
        return np.array(self.driver.execute_script(CONTENT, name))

    def pictures(self):
        return {name: self.picture(name) for name in LOOKS}

    def z(self):
        """Return the two numbers below the plane."""
        return [float(part.split(" = ")[1]) for part in self.text("where").split(", ")]


@pytest.fixture(scope="module")
def driver():
    with opened_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def of_images():
    made = scene(64, K, 120, labels=np.arange(120) % 10, image_shape_=(8, 8))
    with in_thread(made) as server:
        server.facts = json.loads(ask(server, "facts").content)
        yield server


@pytest.fixture
def page(driver, of_images):
    look_like(driver, 1400, "light")
    yield Page(driver, of_images)
    assert complaints(driver) == []


def test_it_opens_with_the_picture_at_zero(page):
    assert page.z() == [0, 0]
    assert page.text("title") == "A VAE of 12 latents with Gaussian noise"
    assert page.text("rows").startswith("50 of 120 rows")
    body = {"z": [0] * K, "alpha": 1, "draw": 0}
    expected = np.frombuffer(ask(page.server, "look", body).content, np.uint8).reshape(3, 64)
    for name, values in zip(LOOKS, expected, strict=True):
        np.testing.assert_array_equal(page.picture(name), values)


def test_a_drag_moves_the_picture(page):
    before = page.pictures()
    page.drag(by=(100, -60))
    reach, width = page.server.facts["reach"], page.one("plane").size["width"]
    np.testing.assert_allclose(page.z(), np.array([100, 60]) * 2 * reach / width, atol=0.03)
    after = page.pictures()
    assert all(np.any(before[name] != after[name]) for name in LOOKS)
    z = np.zeros(K)
    for latent, value in zip(page.server.facts["latents"], page.z(), strict=False):
        z[latent["index"]] = value
    body = {"z": z.tolist(), "alpha": 1, "draw": 0}
    expected = np.frombuffer(ask(page.server, "look", body).content, np.uint8).reshape(3, 64)
    assert np.abs(after["mean"].astype(int) - expected[0]).max() <= 2  # z is shown to two decimals


def test_a_move_without_a_button_moves_nothing(page):
    ActionChains(page.driver, duration=10).move_to_element_with_offset(
        page.one("plane"), 30, 30
    ).perform()
    assert page.z() == [0, 0]


def test_a_drag_beyond_the_edge_stays_on_the_plane(page):
    page.drag(start=(150, 0), by=(300, 0))
    assert page.z()[0] == pytest.approx(page.server.facts["reach"], abs=0.01)


def test_the_keys(page):
    for keys, expected in (
        ((Keys.ARROW_RIGHT, Keys.ARROW_RIGHT), [0.2, 0]),
        ((Keys.ARROW_UP,), [0.2, 0.1]),
        ((Keys.SHIFT, Keys.ARROW_LEFT), [-0.3, 0.1]),
        ((Keys.ARROW_DOWN,), [-0.3, 0]),
        ((Keys.HOME,), [0, 0]),
    ):
        page.press(*keys)
        assert page.z() == pytest.approx(expected, abs=1e-9)
    scrolled = page.driver.execute_script("return window.scrollY")
    page.press(*[Keys.ARROW_DOWN] * 5)
    assert page.driver.execute_script("return window.scrollY") == scrolled


def test_all_parts_are_reached_by_tab_in_their_order(page):
    page.driver.execute_script("document.activeElement.blur(); document.body.tabIndex = -1;")
    page.driver.execute_script("document.body.focus()")
    order = []
    for _ in range(5):
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
        order.append(page.driver.switch_to.active_element.get_attribute("id"))
    assert order == ["plane", "alpha", "again", "home", ""]
    names = [page.one(name).accessible_name for name in order[:-1]]
    assert names == ["Latent plane", "α of the quantile", "Draw again", "Back to zero"]
    style = "return getComputedStyle(document.activeElement).outlineStyle"
    assert page.driver.execute_script(style) == "solid"


def test_alpha_moves_the_quantile_alone(page):
    before = page.pictures()
    page.one("alpha").send_keys(Keys.END)
    page.rest()
    after = page.pictures()
    assert page.driver.find_element(By.CSS_SELECTOR, "output[for=alpha]").text == "3.00"
    np.testing.assert_array_equal(before["mean"], after["mean"])
    np.testing.assert_array_equal(before["one draw"], after["one draw"])
    assert np.all(after["quantile"] <= before["quantile"])
    assert np.any(after["quantile"] < before["quantile"])


def test_one_question_at_a_time_and_then_the_last(page):
    asked = page.driver.execute_script(
        """
        window.sent = [];
        const real = window.fetch;
        window.fetch = (name, given) => {
          window.sent.push(JSON.parse(given.body).alpha);
          return real(name, given);
        };
        const alpha = document.getElementById("alpha");
        for (const value of [0, 0.5, 1, 1.5, 2]) {
          alpha.value = value;
          alpha.dispatchEvent(new Event("input"));
        }
        return window.sent;
        """
    )
    assert asked == [0]
    page.rest()
    assert page.driver.execute_script("return window.sent") == [0, 2]


def test_draw_again_draws_the_noise_alone(page):
    before = page.pictures()
    page.one("again").click()
    page.rest()
    after = page.pictures()
    np.testing.assert_array_equal(before["mean"], after["mean"])
    np.testing.assert_array_equal(before["quantile"], after["quantile"])
    assert np.any(before["one draw"] != after["one draw"])


def test_the_other_latents_and_the_fold(page):
    shown = page.driver.find_elements(By.CSS_SELECTOR, "#first input")
    folded = page.driver.find_elements(By.CSS_SELECTOR, "#rest input")
    assert (len(shown), len(folded)) == (8, 2)
    assert not folded[0].is_displayed()
    summary = page.driver.find_element(By.CSS_SELECTOR, "#fold summary")
    assert summary.text == "2 more"
    summary.click()
    assert folded[0].is_displayed()
    for slider in (shown[0], folded[1]):
        before = page.picture("mean")
        page.drag(element="plane", by=(0, 0))  # z stays where it is: at zero
        slider.send_keys(Keys.END)
        page.rest()
        assert np.any(page.picture("mean") != before)
    page.one("home").click()
    page.rest()
    assert {float(part.get_attribute("value")) for part in [*shown, *folded]} == {0.0}


def test_a_click_on_a_datum(page):
    facts = page.server.facts
    width, reach = page.one("plane").size["width"], facts["reach"]
    inside = [i for i, p in enumerate(facts["points"]) if max(map(abs, p)) < 0.9 * reach]
    points = np.array(facts["points"])
    lonely = max(inside, key=lambda i: np.sort(np.hypot(*(points - points[i]).T))[1])
    x, y = points[lonely] / reach * width / 2
    ActionChains(page.driver, duration=10).move_to_element_with_offset(
        page.one("plane"), round(x), round(-y)
    ).click().perform()
    page.wait(lambda: page.text("chosen").startswith("Row"))
    page.rest()
    label = facts["classes"][facts["labels"][lonely]]
    assert page.text("chosen").startswith(f"Row {facts['rows'][lonely]}, class {label}: ")
    reply = ask(page.server, "datum", {"datum": lonely}).content
    numbers = np.frombuffer(reply[: 12 * K], "<f4").reshape(3, K)
    datum, back = np.frombuffer(reply[12 * K :], np.uint8).reshape(2, 64)
    np.testing.assert_array_equal(page.picture("datum"), datum)
    np.testing.assert_array_equal(page.picture("its reconstruction"), back)
    np.testing.assert_array_equal(page.picture("mean"), back)  # the plane stands there too
    np.testing.assert_allclose(page.z(), points[lonely], atol=0.0051)
    rows = page.driver.find_elements(By.CSS_SELECTOR, "#posterior tbody tr")
    assert len(rows) == K
    first = facts["latents"][0]["index"]
    told = [float(cell) for cell in rows[0].text.split()]
    np.testing.assert_allclose(told, [first, *numbers[:, first]], rtol=0.01)
    ring = page.driver.find_element(By.CSS_SELECTOR, "#plane .posterior")
    assert float(ring.get_attribute("cx")) == pytest.approx(points[lonely][0], abs=1e-5)
    assert float(ring.get_attribute("cy")) == pytest.approx(-points[lonely][1], abs=1e-5)
    assert float(ring.get_attribute("rx")) == pytest.approx(2.448 * numbers[1, first], rel=1e-4)


def test_enter_chooses_the_nearest_datum(page):
    points = np.array(page.server.facts["points"])
    nearest = int(np.argmin(np.hypot(*points.T)))
    page.press(Keys.ENTER)
    page.wait(lambda: page.text("chosen").startswith("Row"))
    assert page.text("chosen").startswith(f"Row {page.server.facts['rows'][nearest]},")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_opens_without_complaint(driver, of_images, width, scheme):
    look_like(driver, width, scheme)
    page = Page(driver, of_images)
    page.press(Keys.ENTER)
    page.wait(lambda: page.text("chosen").startswith("Row"))
    dark = 'return matchMedia("(prefers-color-scheme: dark)").matches'
    assert driver.execute_script(dark) == (scheme == "dark")
    paper = "return getComputedStyle(document.body).backgroundColor"
    assert driver.execute_script(paper) == {"light": "rgb(255, 255, 255)"}.get(
        scheme, "rgb(22, 22, 22)"
    )
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert driver.execute_script(wide) == 0
    assert barriers(driver) == []
    assert complaints(driver) == []


def test_a_table_of_one_latent(driver):
    look_like(driver, 768, "light")
    columns = ["width", "<b>height</b>", "weight"]
    with in_thread(scene(3, 1, 60, feature_names_in_=columns)) as server:
        explore_a_table(Page(driver, server), columns)


def explore_a_table(page, columns):
    driver = page.driver
    rows = driver.find_elements(By.CSS_SELECTOR, "#looks tbody tr")
    names = [row.find_element(By.TAG_NAME, "th").text for row in rows]
    assert names == columns
    before = [row.text for row in rows]
    page.drag(by=(120, 50))
    assert len(page.z()) == 1  # up and down mean nothing
    assert [row.text for row in rows] != before
    page.press(Keys.ENTER)
    page.wait(lambda: page.text("chosen").startswith("Row"))
    assert len(driver.find_elements(By.CSS_SELECTOR, "#pair tbody tr")) == 3
    assert not page.one("others").is_displayed()
    assert barriers(driver) == []
    assert complaints(driver) == []


def test_a_series_without_data(driver):
    look_like(driver, 768, "dark")
    with in_thread(scene(70, 3)) as server:
        explore_a_series(Page(driver, server))


def explore_a_series(page):
    driver = page.driver
    assert page.text("rows").startswith("No data")
    assert not page.one("datum").is_displayed()
    canvas = driver.find_element(By.CSS_SELECTOR, "#looks canvas")
    drawn = "const c = arguments[0]; return c.toDataURL()"
    before = driver.execute_script(drawn, canvas)
    page.drag(by=(120, 50))
    assert driver.execute_script(drawn, canvas) != before
    ActionChains(driver).move_to_element(canvas).perform()
    assert page.driver.find_element(By.CSS_SELECTOR, "#looks p").text.startswith("feature 3")
    assert barriers(driver) == []
    assert complaints(driver) == []


def test_a_complaint_and_a_barrier_would_be_seen(page):
    page.driver.execute_script(
        "setTimeout(() => missing()); document.querySelector('#again').textContent = '';"
        "document.querySelector('#hint').style.color = '#eeeeee';"
    )
    page.wait(lambda: any("missing is not defined" in line for line in complaints(page.driver)))
    assert {found.split(":")[0] for found in barriers(page.driver)} == {
        "button-name",
        "color-contrast",
    }


def test_the_policy_forbids_what_is_not_the_pages_own(page):
    page.driver.execute_script("document.body.append(new Image())")
    assert page.driver.execute_async_script(
        """
        const done = arguments[0];
        document.addEventListener("securitypolicyviolation", e => done(e.effectiveDirective));
        const script = document.createElement("script");
        script.textContent = "window.foreign = true";
        document.body.append(script);
        """
    ).startswith("script-src")
    assert page.driver.execute_script("return window.foreign") is None
    complaints(page.driver)


def test_a_server_that_is_gone_is_told(driver):
    with in_thread(scene(4, 2, image_shape_=(2, 2))) as server:
        page = Page(driver, server)
        server.stop()
        page.one("again").click()
        page.wait(lambda: page.text("status") != "")
        assert page.text("status").startswith("The server does not answer.")
    complaints(driver)


def test_what_is_refused_is_told_and_the_next_answer_ends_it(page):
    alpha = page.one("alpha")
    page.driver.execute_script("arguments[0].max = 9", alpha)
    alpha.send_keys(Keys.END)
    page.wait(lambda: "alpha must be a number from -5 to 5; got 9." in page.text("status"))
    complaints(page.driver)  # the browser notes the 422
    page.one("alpha").send_keys(Keys.HOME)
    page.rest()
    page.wait(lambda: page.text("status") == "")
