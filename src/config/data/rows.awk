# SPDX-License-Identifier: MIT
# keywords.tsv and algorithms.tsv as rows of C.
BEGIN { FS = "\t" }
function release(text, none, parts) {
	if (text == "-")
		return none
	if (text == "0")
		return "0"
	split(text, parts, ".")
	return parts[1] * 100 + parts[2]
}
/^#/ { next }
$1 == "keyword" { keywords = 1; next }
$1 == "class" { keywords = 0; next }
keywords {
	printf "{ \"%s\", %s, %s, %s, %s, \"%s\" },\n", $1, release($2, "NEVER"), \
		release($3, "NEVER"), release($4, "NEVER"), release($5, "NEVER"), $6
	next
}
{
	printf "{ ALGORITHM_%s, \"%s\", %s, %s, %s, %s },\n", toupper($1), $2, release($3, "NEVER"), \
		release($4, "NEVER"), release($5, "NEVER"), release($6, "NEVER")
}
