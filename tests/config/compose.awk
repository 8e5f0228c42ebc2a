# SPDX-License-Identifier: MIT
#
# awk -v N=120 -v OUT=DIR -f compose.awk VALUES: configurations OUT/v1 to OUT/vN of a few
# lines each, in any order. The same ones every time: the numbers are our own, not awk's.
function number(below) {
	seed = (seed * 16807) % 2147483647
	return seed % below
}
!/^# / { pool[pooled++] = $0 }
END {
	seed = 20261125
	for (n = 1; n <= N; n++) {
		for (left = 2 + number(6); left; left--)
			print pool[number(pooled)] > (OUT "/v" n)
		close(OUT "/v" n)
	}
}
