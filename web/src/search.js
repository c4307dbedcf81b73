// searchKey moves the cursor to the page's first search box when "/" is pressed outside a field. A key that belongs to an input
// method or to a shortcut of the browser is left alone. It answers whether it took the key.
export function searchKey(event, page) {
  if (event.key !== "/" || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.defaultPrevented || isField(event.target)) return false;
  const box = page.querySelector('input[type="search"]');
  if (!box) return false;
  event.preventDefault();
  box.focus();
  box.select();
  return true;
}

function isField(node) {
  return Boolean(node && (node.isContentEditable || /^(input|textarea|select)$/i.test(node.tagName ?? "")));
}
