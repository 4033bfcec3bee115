// Lectern's catalogue as a page of Next.js: the same elements and texts, made anew for each request, without login or database.
import { readFileSync } from "node:fs";
import { createElement } from "react";

export const dynamic = "force-dynamic";

// Read once: a database would only make it slower.
const nodes = process.env.BENCH_CONTENT ? JSON.parse(readFileSync(process.env.BENCH_CONTENT, "utf8")) : [];

function Node({ node }) {
  if (typeof node === "string") return node;
  const children = node.children.map((child, key) => (typeof child === "string" ? child : <Node key={key} node={child} />));
  return createElement(node.tag, node.attributes, ...children);
}

export default function Catalogue() {
  return nodes.map((node, key) => <Node key={key} node={node} />);
}
