# What generated rules share.
package tollgate.lib

has(object, key) if {
	_ := object[key]
}

# Code points of a string, elements of an array; undefined for anything else.
size(value) := count(value) if {
	is_string(value)
}

size(value) := count(value) if {
	is_array(value)
}

# An integer is one that every number type holds exactly.
is_integer(value) if {
	is_number(value)
	value >= -9007199254740991
	value <= 9007199254740991
	floor(value) == value
}

# A pattern of Python: one for texts in ASCII, and one for all others, which takes long to compile.
matches(ascii, _, text) if {
	not beyond_ascii(text)
	regex.match(ascii, text)
}

matches(_, wide, text) if {
	beyond_ascii(text)
	regex.match(wide, text)
}

beyond_ascii(text) if regex.match(`[^\x00-\x7f]`, text)
