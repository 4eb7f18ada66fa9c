/** The element with this id, which is in `index.html`. */
export function byId<E extends HTMLElement>(id: string, kind: new () => E): E {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new TypeError(`no element #${id}`);
  return element;
}

/** The first in `root` that matches, which is there. */
export function within<E extends Element>(root: ParentNode, selector: string, kind: new () => E): E {
  const element = root.querySelector(selector);
  if (!(element instanceof kind)) throw new TypeError(`no element ${selector}`);
  return element;
}
