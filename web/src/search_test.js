import assert from "node:assert/strict";
import { test } from "node:test";
import { searchKey } from "./search.js";

// press presses a key on a page and says what became of it.
function press(event, { boxes = 1 } = {}) {
  const did = [];
  const box = { focus: () => did.push("focus"), select: () => did.push("select") };
  const page = { querySelector: (what) => (what === 'input[type="search"]' && boxes > 0 ? box : null) };
  const took = searchKey({ key: "/", target: { tagName: "BODY" }, preventDefault: () => did.push("prevent"), ...event }, page);
  return took ? did.join(" ") : (assert.deepEqual(did, []), "left alone");
}

test("a slash goes to the search box and is not typed into it", () => {
  assert.equal(press({}), "prevent focus select");
});

test("another key is left alone", () => {
  assert.equal(press({ key: "a" }), "left alone");
});

test("a slash typed into a field stays in the field", () => {
  for (const tagName of ["INPUT", "TEXTAREA", "SELECT", "input"]) {
    assert.equal(press({ target: { tagName } }), "left alone", tagName);
  }
  assert.equal(press({ target: { tagName: "DIV", isContentEditable: true } }), "left alone");
});

test("a slash of an input method or a shortcut is left alone", () => {
  for (const key of ["isComposing", "ctrlKey", "metaKey", "altKey", "defaultPrevented"]) {
    assert.equal(press({ [key]: true }), "left alone", key);
  }
});

test("a page without a search box lets the key through", () => {
  assert.equal(press({}, { boxes: 0 }), "left alone");
});
