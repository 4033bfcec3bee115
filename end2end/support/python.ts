// Labs that are processes of this machine need this to run JupyterLab: Python with venv, and PyPI or a mirror of it.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why JupyterLab cannot be installed here; `null` if it can. A small package is fetched, as the large one will be. */
export function whyNoJupyter(): string | null {
  const folder = mkdtempSync(join(tmpdir(), "lectern-python-"));
  const run = (program: string, ...words: string[]) => execFileSync(program, words, { stdio: "ignore", timeout: 120_000 });
  try {
    try {
      run("python3", "-m", "venv", join(folder, "venv"));
    } catch {
      return "JupyterLab needs Python 3 with venv: apt-get install python3-venv";
    }
    try {
      run(join(folder, "venv/bin/pip"), "download", "--quiet", "--no-deps", "--dest", folder, "jupyterlab-server");
    } catch {
      return "JupyterLab cannot be had: is PyPI reachable? PIP_INDEX_URL names a mirror";
    }
    return null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
