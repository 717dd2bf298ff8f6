/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** Elements from data. Text goes in as text only: names come from the network. */

type Attributes = Readonly<Record<string, string | undefined>>;

export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** The element of the page that has this id. */
export function byId<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  return document.getElementById(id) as Kind;
}

/** Changes a text only where it is another: what is the same is not read out again. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** One element of a list that follows its data. */
export interface Item<Data> {
  element: HTMLElement;
  update(data: Data): void;
}

/**
 * Keeps children of `parent` in step with a list: the same key keeps its element, and with it the
 * reader's focus.
 */
export function createList<Data>(
  parent: HTMLElement,
  keyOf: (data: Data) => string,
  create: (data: Data) => Item<Data>,
): (list: readonly Data[]) => void {
  let items = new Map<string, Item<Data>>();
  return (list) => {
    const kept = new Map<string, Item<Data>>();
    list.forEach((data, index) => {
      const key = keyOf(data);
      const item = items.get(key) ?? create(data);
      item.update(data);
      kept.set(key, item);
      items.delete(key);
      if (parent.children[index] !== item.element) {
        parent.insertBefore(item.element, parent.children[index] ?? null);
      }
    });
    for (const { element } of items.values()) element.remove();
    items = kept;
  };
}

export interface Column<Data> {
  title: string;
  /** Text is aligned at the left, figures at the right. */
  isText?: true;
  text(data: Data): string;
  /** Instead of bare text. */
  render?(data: Data): Node;
}

/** A table that follows its data, row by row. */
export function createTable<Data>(
  parent: HTMLElement,
  caption: string,
  columns: readonly Column<Data>[],
  keyOf: (data: Data) => string,
): { show(list: readonly Data[]): void; heads: HTMLTableCellElement[] } {
  const heads = columns.map(({ title, isText }) =>
    el("th", { scope: "col", class: isText && "text" }, title)
  );
  const body = el("tbody");
  parent.replaceChildren(
    el("table", { "aria-label": caption }, el("thead", {}, el("tr", {}, ...heads)), body),
  );
  const show = createList<Data>(body, keyOf, () => {
    const cells = columns.map(({ isText }, index) =>
      index === 0
        ? el("th", { scope: "row", class: isText && "text" })
        : el("td", { class: isText && "text" })
    );
    const shown: string[] = [];
    return {
      element: el("tr", {}, ...cells),
      update(data) {
        columns.forEach(({ text, render }, index) => {
          const fresh = text(data);
          if (shown[index] === fresh) return;
          shown[index] = fresh;
          if (render === undefined) cells[index]!.textContent = fresh;
          else cells[index]!.replaceChildren(render(data));
        });
      },
    };
  });
  return { show, heads };
}
