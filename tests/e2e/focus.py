"""Walks through a page with Tab alone, and opens what its buttons open."""

from __future__ import annotations

from playwright.sync_api import ElementHandle, Page, expect

from tests.e2e.test_pages import settle

MOST_STOPS = 300
FIELD_STOPS = 5  # the parts of a date, or what is in a frame
OPENED = "dialog:modal, :popover-open"
OPENERS = "[popovertarget], [command=show-modal], [hx-target='#dialog'] button, [hx-target='#invite'] button"
HELPERS = """() => {
const opened = () => document.querySelector("dialog:modal") ?? document.querySelector(":popover-open");
const root = () => opened() ?? document;
const partsOf = (element) => [element, ...(element.labels ?? [])];

const describe = (element) => {
    const { ariaLabel, labels, innerText, title, name, id } = element;
    const text = ariaLabel || labels?.[0]?.innerText || innerText || title || name || id;
    return `${element.localName} “${text.trim().replace(/\\s+/g, " ").slice(0, 50)}”`;
};

const sameStop = (one, other) => one === other
    || (one.type === "radio" && other.type === "radio" && one.name === other.name && one.form === other.form);

// What a mouse can use; of radio buttons, one of each group: the arrow keys reach the others.
const usable = () => {
    const all = "a[href], button, input, select, textarea, summary, iframe, [tabindex='0'], [role=button]";
    return [...root().querySelectorAll(all)].filter((element, index, elements) =>
        !element.matches(":disabled, [type=hidden]") && !element.closest("[inert]")
        && element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true })
        && !elements.slice(0, index).some((earlier) => sameStop(earlier, element)));
};

// The element, or a part of the page that stands for it, has an outline. In a frame its own page shows it.
const isOutlined = (element) => {
    if (element.matches("iframe")) return true;
    const parts = partsOf(element);
    for (let up = element.parentElement; up && parts.length < 6; up = up.parentElement) parts.push(up);
    return parts.some((part) => {
        const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(part);
        const { width, height } = part.getBoundingClientRect();
        const drawn = outlineStyle === "auto" || (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2);
        return drawn && !/, 0\\)$/.test(outlineColor) && width > 8 && height > 8;
    });
};

// Some of it is on the screen, with nothing over it.
const isOnTop = (element) => partsOf(element).some((part) => {
    const { left, top, width, height } = part.getBoundingClientRect();
    return width > 4 && [0.5, 0.1, 0.9].some((x) => [0.5, 0.1, 0.9].some((y) => {
        const found = document.elementFromPoint(left + x * width, top + y * height);
        return part.contains(found) || (found?.matches("label, summary") && found.contains(element));
    }));
});

const topOf = (element) => Math.min(...partsOf(element).map((part) => part.getBoundingClientRect().top));

// Two stops of one part of the page are read downwards.
const PARTS = "form, section, nav, li, tr, dialog, fieldset, header";
const isAbove = (element, before) => element.closest(PARTS)
    && element.closest(PARTS) === before.closest(PARTS)
    && before.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING
    && element.getBoundingClientRect().bottom <= topOf(before);

let stops = [];
window.focusWalk = {
    start() {
        stops = [];
        if (!opened()) document.activeElement.blur();
    },
    step() {
        const element = document.activeElement;
        if (element === document.body) return { outside: true };
        if (!root().contains(element)) return { outside: true, what: describe(element) };
        const before = stops.at(-1);
        const seen = stops.includes(element);
        stops.push(element);
        return {
            what: describe(element),
            stays: element === before,
            seen,
            parts: element.matches("iframe, [type=date], [type=time], [type=datetime-local]"),
            wrong: seen ? [] : [
                isOutlined(element) || "has no outline",
                isOnTop(element) || "is covered or off the screen",
                !before || !isAbove(element, before) || `stands above ${describe(before)}`,
            ].filter((one) => one !== true),
        };
    },
    missed: () => usable().filter((one) => !stops.some((stop) => sameStop(stop, one))).map(describe),
};
}"""


def walk(page: Page) -> list[str]:
    """Press Tab until the focus is back where it began. Returns what is wrong.

    Right is: each element that can be seen and used gets the focus, in the order in which they are read,
    with an outline and not covered, and the next press takes it on. An open dialog is all of the page; the
    focus leaves an open popover at its end.
    """
    page.evaluate(HELPERS)
    page.evaluate("focusWalk.start()")
    modal = page.locator("dialog:modal").count() > 0
    popover = not modal and page.locator(":popover-open").count() > 0
    wrong: list[str] = []
    stays = 0
    for number in range(MOST_STOPS):
        if number or not (modal or popover):  # what opened may have focused a field of it
            page.keyboard.press("Tab")
        stop = page.evaluate("focusWalk.step()")
        if stop.get("outside"):
            if modal and stop.get("what"):
                wrong.append(f"{stop['what']} gets the focus outside the dialog")
            if popover and number:
                break
            continue
        stays = stays + 1 if stop["stays"] else 0
        if stays > (FIELD_STOPS if stop["parts"] else 0):
            wrong.append(f"{stop['what']} keeps the focus")
            break
        if stop["seen"] and not stop["stays"]:
            break
        wrong += [f"{stop['what']} {what}" for what in stop["wrong"]]
    else:
        wrong.append("the focus does not come back")
    return wrong + [f"{what} is not reached" for what in page.evaluate("focusWalk.missed()")]


def openers(page: Page, within: str = "body") -> list[ElementHandle]:
    """The buttons to be seen that open a dialog or a popover."""
    found = page.locator(within).locator(OPENERS).element_handles()
    return [one for one in found if one.is_visible() and one.is_enabled()]


def open_and_close(page: Page, opener: ElementHandle, key: str) -> list[str]:
    """Open with the key, walk through what opens, and close it with Escape. Returns what is wrong."""
    name = page.evaluate("element => element.ariaLabel || element.innerText", opener).strip()
    opener.focus()
    page.keyboard.press(key)
    expect(page.locator(OPENED).first).to_be_visible()
    settle(page)
    wrong = walk(page)
    page.locator(OPENED).locator("button, input, a, select, textarea").locator("visible=true").first.focus()
    page.keyboard.press("Escape")
    expect(page.locator(OPENED)).to_have_count(0)
    if not has_focus(page, opener):
        wrong.append(f"the focus is on {page.evaluate('document.activeElement.outerHTML')[:80]} after Escape")
    return [f"{name}, {key}: {what}" for what in wrong]


def has_focus(page: Page, element: ElementHandle) -> bool:
    return bool(page.evaluate("element => element === document.activeElement", element))
