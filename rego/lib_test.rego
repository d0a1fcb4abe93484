package tollgate.lib_test

import data.tollgate.lib

test_a_member_is_there_whatever_its_value if {
	every value in [0, false, null, "", [], {}] {
		lib.has({"key": value}, "key")
	}
}

test_a_member_that_is_missing_is_not_there if {
	not lib.has({"other": 1}, "key")
	not lib.has("text", "key")
	not lib.has(null, "key")
	not lib.has([1], "0")
}

test_the_size_of_a_text_is_in_code_points if {
	lib.size("") == 0
	lib.size("äöü") == 3
	lib.size("😀") == 1
}

test_the_size_of_an_array_is_in_elements if {
	lib.size([]) == 0
	lib.size([null, null]) == 2
}

test_nothing_else_has_a_size if {
	every value in [0, true, null, {"a": 1}] {
		not lib.size(value)
	}
}

test_integers_are_whole_and_held_exactly_by_a_double if {
	every value in [0, -1, 5.0, 9007199254740991, -9007199254740991] {
		lib.is_integer(value)
	}
}

test_fractions_large_numbers_and_other_types_are_no_integers if {
	every value in [0.5, 9007199254740992, 1e300, "1", true, null, [], {}] {
		not lib.is_integer(value)
	}
}

test_a_text_in_ascii_is_matched_by_the_pattern_for_ascii if {
	lib.matches("a+", "x", "baa")
	not lib.matches("a+", "b", "b")
	lib.matches("^$", "x", "")
}

test_any_other_text_is_matched_by_the_other_pattern if {
	lib.matches("x", "é+", "aéé")
	not lib.matches("é", "x", "é")
	lib.matches("x", "^\u0080$", "\u0080")
	not lib.matches("x", "^\u007f$", "\u007f")
}

test_what_is_no_text_is_not_matched if {
	every value in [null, 1, true, ["a"], {"a": 1}] {
		not lib.matches(".*", ".*", value)
	}
}
