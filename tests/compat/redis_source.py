"""Fetches Redis's Tcl test suite as Debian's source package, into a cache outside the tree.

Nothing of it enters the repository. The machine's own apt configuration says where Debian is; each
of its entries for this release becomes a deb-src entry in a private apt state directory, so neither
root nor a change of the system is needed.
"""

import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys

APT_DIRECTORY = pathlib.Path("/etc/apt")


def release_codename():
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=", 1)[1].strip('"')
    return "stable"


def is_debian_suite(suite, codename):
    """`bookworm`, `bookworm-security` and so on; not the suites of other vendors."""
    return any(re.fullmatch(rf"{re.escape(name)}(-updates|-security|/updates)?", suite)
               for name in (codename, "stable"))


def source_entry_from_line(line, codename):
    """`deb [options] uri suite components` as its deb-src twin, or None."""
    match = re.match(r"deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.+)", line.strip())
    if not match or not is_debian_suite(match.group(3), codename):
        return None
    words = [word for word in (match.group(1) or "").strip().strip("[]").split()
             if not word.startswith("arch")]
    options = f"[{' '.join(words)}]" if words else ""
    return " ".join(part for part in ("deb-src", options, match.group(2), match.group(3),
                                      match.group(4).split("#")[0].strip()) if part)


def source_stanza(stanza, codename):
    """A deb822 stanza with `Types: deb` as its deb-src twin, or None."""
    lines = [line for line in stanza.splitlines() if not line.startswith("#")]
    fields = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].split()
              for line in lines if re.match(r"[A-Za-z-]+:", line)}
    if "deb" not in fields.get("types", []):
        return None
    suites = [suite for suite in fields.get("suites", []) if is_debian_suite(suite, codename)]
    if not suites or fields.get("enabled", ["yes"])[0].lower() in ("no", "false", "0"):
        return None
    kept = []
    for line in lines:
        name = line.split(":", 1)[0].lower()
        if name == "types":
            kept.append("Types: deb-src")
        elif name == "suites":
            kept.append("Suites: " + " ".join(suites))
        elif name != "architectures":
            kept.append(line)
    return "\n".join(kept)


def derive_sources(apt_directory, codename):
    """The deb-src twins of the configured entries: (one-line text, deb822 text)."""
    one_line, stanzas = [], []
    files = [apt_directory / "sources.list"]
    files += sorted((apt_directory / "sources.list.d").glob("*"))
    for path in files:
        if not path.is_file():
            continue
        text = path.read_text(errors="replace")
        if path.suffix == ".sources":
            derived = (source_stanza(part, codename) for part in re.split(r"\n\s*\n", text))
            stanzas += [stanza for stanza in derived if stanza]
        elif path.suffix == ".list":
            derived = (source_entry_from_line(line, codename) for line in text.splitlines())
            one_line += [entry for entry in derived if entry]
    return "\n".join(one_line) + "\n", "\n\n".join(stanzas) + "\n"


def apt_options(state):
    return ["-o", f"Dir::State::Lists={state}/lists",
            "-o", f"Dir::Cache={state}/cache",
            "-o", f"Dir::Etc::SourceList={state}/derived.list",
            "-o", f"Dir::Etc::SourceParts={state}/sources.list.d",
            "-o", "APT::Update::Pre-Invoke::=", "-o", "APT::Sandbox::User=root",
            "-o", "APT::Update::Post-Invoke-Success::=", "-o", "Acquire::Languages=none",
            "-o", "APT::Get::List-Cleanup=false"]


def run_apt(arguments, directory, state):
    command = ["apt-get", "-qq", *apt_options(state), *arguments]
    result = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode != 0:
        sys.exit(f"fetching Redis's test suite failed: {' '.join(arguments)}\n{result.stdout}")


def download(cache):
    state = cache / "apt"
    shutil.rmtree(state, ignore_errors=True)
    for part in ("lists/partial", "cache/archives/partial", "sources.list.d"):
        (state / part).mkdir(parents=True)
    one_line, stanzas = derive_sources(APT_DIRECTORY, release_codename())
    (state / "derived.list").write_text(one_line)
    (state / "sources.list.d" / "derived.sources").write_text(stanzas)
    run_apt(["update"], cache, state)
    run_apt(["source", "redis"], cache, state)
    shutil.rmtree(state)


def fetch(cache):
    """The unpacked source of Redis below `cache`; downloads it when it is not there yet."""
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = cache / "source"
        if not (done / "runtest").exists():
            for old in cache.glob("redis-*"):
                shutil.rmtree(old) if old.is_dir() else old.unlink()
            download(cache)
            unpacked = [path for path in cache.glob("redis-*") if (path / "runtest").exists()]
            if len(unpacked) != 1:
                sys.exit(f"no test suite in Redis's source package under {cache}")
            os.replace(unpacked[0], done)
            for archive in cache.glob("redis_*"):
                archive.unlink()
        return done
