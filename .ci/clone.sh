# Sourced by the scripts beside it: a fresh clone to be in, and servers in memory for the tests.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
servers=
trap 'exec 9>&-; [ -z "$servers" ] || wait "$servers"; rm -rf "$work"' EXIT
export MIGRATORS_REQUIRE_SERVERS=1 PIP_DISABLE_PIP_VERSION_CHECK=1
export PIP_NO_COMPILE=1  # what is imported is compiled then; most of what is installed never is
unset PYTHONPATH VIRTUAL_ENV

say() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

say 'fresh clone'
git clone --quiet "$root" "$work/clone"
cd "$work/clone"
say 'servers in memory, where their programs are'
mkfifo "$work/end"
python3 .ci/servers.py "$work/servers" < "$work/end" &
servers=$!
exec 9> "$work/end"
until [ -e "$work/servers" ]; do
    kill -0 "$servers"
    sleep 0.2
done
cat "$work/servers"
source "$work/servers"
