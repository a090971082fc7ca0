# shellcheck shell=bash
# What a machine must have, and the one set of build flags: sourced by every tool here, never run by itself.
# Not here: what is built or tested (tools/run, tools/test).
# Any other flag on any command rebuilds everything, so flags of the compiler stand in Package.swift and nowhere else.

swift_needed=6.2            # the tools version of Package.swift
release_flags=(-c release --traits Server,Postgres)  # what users get, and what tests run: server and PostgreSQL too
debug_flags=(-c debug)      # the engine's tests once more, with assertions
sanitizer_flags=(-c release --sanitize=thread --scratch-path .build/sanitizer)  # readers beside a writer

# Says in one line what is wrong and what to do, and ends the tool.
stop() {
  printf '%s\n' "$1" >&2
  exit 1
}

# True if version $1 is at least version $2.
at_least() { [[ $(printf '%s\n' "$2" "$1" | sort --version-sort | head -n 1) == "$2" ]]; }

# Ends the tool with one line unless a Swift toolchain that can build this package is there.
require_swift() {
  local remedy="Continuo needs Swift $swift_needed or newer; how to get it: https://www.swift.org/install" found
  command -v swift >/dev/null || stop "No Swift toolchain found. $remedy"
  found=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+(\.[0-9]+)*).*/\1/p' | head -n 1)
  [[ -n $found ]] || stop "'swift --version' does not work here. $remedy"
  at_least "$found" "$swift_needed" || stop "Swift $found is too old. $remedy"
}

# Runs a command and shows what it printed only if it fails, which ends the tool.
quietly() {
  local output
  output=$("$@" 2>&1 </dev/null) || stop "$output"$'\n'"'$*' failed: see above, then try again."
}

# Builds both programs in release: the small one, and the one with every command beside it (docs/decisions/0030).
build_programs() {
  local product
  for product in continuo continuo-server; do swift build "${release_flags[@]}" --product "$product" >&2; done
}

# Installs those of the named Debian packages that are missing; asks apt for nothing if none is.
require_packages() {
  local missing=() package as_root=()
  if ! command -v dpkg-query >/dev/null; then
    printf 'No dpkg here: make sure that what these Debian packages hold is installed: %s\n' "$*" >&2
    return 0
  fi
  for package in "$@"; do
    [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      missing+=("$package")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null || stop "These packages are missing: ${missing[*]}. Run as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  printf 'Installing %s\n' "${missing[*]}" >&2
  quietly "${as_root[@]}" apt-get update -qq
  quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq -y --no-install-recommends "${missing[@]}"
}

# Python of its own under .build, with pip.
python=.build/python/bin/python3
python_tools() {
  [[ -x $python ]] || python3 -m venv .build/python
}

# The page's chart is TradingView's lightweight-charts (Apache-2.0), which is not kept here: this is where it comes from.
assets=.build/assets
chart_wheel=lwcharts==0.3.0
chart_file=lwcharts/vendor/lightweight-charts.standalone.production.js
chart_sum=c0992580867c4912cc9385b3c2728315bcc1a76c7f1087dca908430fccdf31d7

# Gets the chart's code into $assets unless it is there. Fails with a line where it cannot be had, or is not the one we know.
chart_code() {
  local code=$assets/lightweight-charts.js work
  sha256sum --status --check <<<"$chart_sum  $code" 2>/dev/null && return
  mkdir -p "$assets"
  work=$(mktemp -d "$assets/getting.XXXXXX")
  python_tools && "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" "$chart_wheel" &&
    "$python" -m zipfile --extract "$work"/*.whl "$work" && sha256sum --status --check <<<"$chart_sum  $work/$chart_file" &&
    mv "$work/$chart_file" "$code" || rm -f "$code"
  rm -rf "$work"
  [[ -f $code ]] || { printf 'The chart of the page (%s) could not be had; without it the page shows tables\n' "$chart_wheel" >&2; return 1; }
}

# What a build needs, and what the tests need besides.
build_packages=(git pkg-config zlib1g-dev liblz4-dev libpq-dev)
page_packages=(python3 python3-venv curl)
test_packages=(gzip lz4 e2fsprogs mount chromium chromium-driver openssl prometheus wrk postgresql)
