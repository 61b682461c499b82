# The words of tests/mount, for scripts that go through both doors.
. "$(dirname "${BASH_SOURCE[0]}")/../mount/lib.sh"
