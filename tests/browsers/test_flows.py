"""The main flows, in each browser."""

from __future__ import annotations

import re

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.browsers.user import User
from tests.e2e.portal import PASSWORD
from tests.e2e.studio import PHOTO


def upload(user: User) -> None:
    user.open()
    user.driver.find_element("id", "file").send_keys(str(PHOTO))
    user.sees("Editing the original")


def edit(user: User, prompt: str, becomes: str) -> None:
    download = "return document.querySelector('.image-tools a[download]').href"
    source = user.script(download)
    user.enter("What should change?", prompt)
    user.button("Run").click()
    user.sees(f"Editing {becomes}")
    user.wait(lambda: user.script(download) != source, "the result is not on stage")
    user.find(f"//nav[@aria-label='Versions']//a[starts-with(@aria-label, '{becomes}')]")


def sample(user: User, x: float, y: float) -> list[int]:
    """Red, green and blue of the result, at fractions of its width and height."""
    colour: list[int] = user.driver.execute_async_script(
        """const [x, y, done] = arguments;
        const link = document.querySelector(".image-tools a[download]");
        fetch(link.href).then((response) => response.blob()).then(createImageBitmap).then((image) => {
            const { width, height } = image;
            const canvas = Object.assign(document.createElement("canvas"), { width, height });
            const pen = canvas.getContext("2d");
            pen.drawImage(image, 0, 0);
            done([...pen.getImageData(x * width, y * height, 1, 1).data].slice(0, 3));
        });""",
        x,
        y,
    )
    return colour


def test_signing_up_and_out_and_in(user: User) -> None:
    user.find("//button[contains(@aria-label, 'your account')]").click()
    user.button("Sign out").click()
    user.link("Create an account").click()
    user.enter("Email", f"new-{user.email}")
    user.enter("Password", PASSWORD)
    user.button("Create account").click()
    user.find("//textarea[@id='prompt']")
    user.driver.get(f"{user.origin}/accounts/logout/")
    user.find("//main//button").click()
    user.sign_in()


def test_edits_versions_and_branches(user: User) -> None:
    upload(user)
    edit(user, "make it black and white", "v2")
    red, green, blue = sample(user, 0.5, 0.5)
    assert red == green == blue
    user.link("Original").click()
    user.sees("Editing the original")
    edit(user, "add a white border [slow:11]", "v3")  # past WebKit's ten seconds
    assert min(sample(user, 0.01, 0.5)) > 240
    user.driver.back()
    user.sees("Editing the original")
    user.driver.forward()
    user.sees("Editing v3")
    version = user.link("v2")
    ActionChains(user.driver).move_to_element(version).perform()
    user.button("Compare with this: v2").click()
    user.wait(
        lambda: [tag.text for tag in user.visible("//*[@class='tag']")] == ["v2", "v3"], "no comparison"
    )
    user.choose("view", "compare")  # the border made another shape
    slider = user.driver.find_element("css selector", "before-after input")
    slider.send_keys(Keys.ARROW_RIGHT)
    divide = user.script("return document.querySelector('before-after').style.getPropertyValue('--divide')")
    assert divide == "50.5%"


def test_a_mask_limits_the_edit(user: User) -> None:
    upload(user)
    edit(user, "make it warmer", "v2")
    before = sample(user, 0.8, 0.5)
    user.choose("view", "mask")
    user.button("Clear mask").click()
    painter = user.find("//mask-painter")
    width = painter.size["width"]
    strokes = ActionChains(user.driver).move_to_element_with_offset(painter, int(-0.3 * width), -20)
    strokes.click_and_hold().move_by_offset(0, 40).release().perform()
    edit(user, "make it black and white", "v3")
    assert len(set(sample(user, 0.2, 0.5))) == 1
    assert sample(user, 0.8, 0.5) == pytest.approx(before, abs=3)


def test_dialogs_and_menus(user: User) -> None:
    upload(user)
    user.button("Keyboard shortcuts").click()
    user.find("//dialog[@id='help']//h2")
    user.find("//dialog[@id='help']//button[@aria-label='Close']").click()
    user.misses("//dialog")
    for name in ("Workspace", "your account"):
        button = user.find(f"//button[contains(@aria-label, '{name}')]")
        button.click()
        menu = user.find("//*[@popover and contains(@class, 'menu')]")
        assert menu.rect["y"] >= button.rect["y"] + button.rect["height"]
        assert abs(menu.rect["x"] - button.rect["x"]) < menu.rect["width"]
        user.press(Keys.ESCAPE)
        user.misses("//*[@popover and contains(@class, 'menu')]")
    user.button("Move to trash").click()
    user.find("//dialog//button[normalize-space()='Cancel']").click()
    user.misses("//dialog")
    idea = user.find("//*[@aria-label='Ideas']//button")
    idea.click()
    user.wait(lambda: user.field("What should change?").get_property("value"), "the idea was not filled in")


def test_gallery_large_view_and_share(user: User) -> None:
    upload(user)
    edit(user, 'add the text "SOLD" at the bottom', "v2")
    user.link("Gallery").click()
    user.enter("Search edits", "sold")
    user.wait(lambda: "q=sold" in user.driver.current_url, "no search")
    user.wait(lambda: len(user.visible("//li[contains(@class, 'shot')]")) == 1, "not one image")
    user.find("//li[contains(@class, 'shot')]//a").click()
    user.button("Copy prompt").click()
    user.sees("Copied.")
    user.link("Share").click()
    user.button("Create link").click()
    link = user.find("//*[@id='new-share-url']").text
    user.find("//dialog//button[@commandfor='new-share-url']").click()
    user.wait(lambda: user.find("//*[@id='new-share-copied']").text == "Copied.", "not copied")
    user.find("//dialog[@id='dialog']//button[@aria-label='Close']").click()
    user.misses("//dialog[@id='dialog']")
    user.driver.back()
    user.misses("//dialog")
    user.find("//li[contains(@class, 'shot')]")
    assert user.pasted() == link
    user.driver.get(link)
    image = user.find("//img[@alt='Shared image']")
    user.wait(lambda: image.get_property("naturalWidth"), "the shared image does not load")


def test_an_api_key_is_made_and_copied(user: User) -> None:
    user.open("settings/api-keys/")
    user.enter("Name", "Website")
    user.button("Create key").click()
    key = user.find("//*[@id='made-key-text']").text
    assert re.fullmatch(r"flk_\w+", key)
    user.find("//button[@commandfor='made-key-text']").click()
    user.wait(lambda: user.find("//*[@id='made-key-copied']").text == "Copied.", "not copied")
    user.button("I have saved it").click()
    user.misses("//dialog")
    assert user.pasted() == key


def test_back_and_forward_show_whole_pages(user: User) -> None:
    paths = ["", "gallery/", "trash/", "settings/webhooks/", "credits/", "api/"]
    for path in paths:
        user.open(path)
    for move, back in ((user.driver.back, paths[-2::-1]), (user.driver.forward, paths[1:])):
        for path in back:
            move()
            user.wait(lambda path=path: user.driver.current_url == user.home + path, f"not at {path}")  # type: ignore[misc]
            user.find("//header//*[contains(@class, 'brand')]")
            assert user.script("return getComputedStyle(document.documentElement).getPropertyValue('--page')")
