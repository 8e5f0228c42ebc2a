# SPDX-License-Identifier: MIT
#
# awk -v N=500 -v OUT=DIR -f generate.awk POOL BASE…: configurations OUT/1 to OUT/N, each a
# base with one line of the pool put in, now and then two, or a slip of the keyboard. The
# same ones every time: the numbers are our own, not awk's.
function number(below) {
	seed = (seed * 16807) % 2147483647
	return seed % below
}
FNR == 1 { file++; lines[file] = 0 }
file == 1 { if ($0 !~ /^# One line/) pool[pooled++] = $0; next }
{ text[file, lines[file]++] = $0 }
function slip(line, at, way) {
	if (length(line) < 4)
		return line
	at = 1 + number(length(line) - 1)
	way = number(4)
	if (way == 0)
		return substr(line, 1, at - 1) substr(line, at + 1)
	if (way == 1)
		return substr(line, 1, at) substr(line, at)
	if (way == 2)
		return substr(line, 1, at - 1) substr(line, at + 1, 1) substr(line, at, 1) substr(line, at + 2)
	return substr(line, 1, at - 1) substr("=#\" ,x9Z", 1 + number(8), 1) substr(line, at + 1)
}
END {
	seed = 20261124
	for (n = 1; n <= N; n++) {
		base = 2 + n % (file - 1)
		place = number(lines[base] + 1)
		second = n % 5 == 0 ? number(lines[base] + 1) : -1
		slipped = n % 4 == 0 ? number(lines[base]) : -1
		# Every line of the pool in turn, then at random.
		put = n <= pooled * (file - 1) ? pool[int((n - 1) / (file - 1)) % pooled] : pool[number(pooled)]
		for (i = 0; i <= lines[base]; i++) {
			if (i == place)
				print put > (OUT "/" n)
			if (i == second)
				print pool[number(pooled)] > (OUT "/" n)
			if (i < lines[base])
				print (i == slipped ? slip(text[base, i]) : text[base, i]) > (OUT "/" n)
		}
		close(OUT "/" n)
	}
}
