# The time of a call as parts, from its RFC 3339 text. What is no such text has none.
package tollgate.calendar

is_time(time) if {
	is_string(time)
	substring(time, 10, 1) == "T"
}

# Monday is 1, Sunday 7. By Sakamoto's method, where a year begins in March.
weekday(time) := day if {
	is_time(time)
	month := substring(time, 5, 2)
	year := (((thousands(time) + (100 * digits[substring(time, 1, 1)])) + (10 * digits[substring(time, 2, 1)])) + digits[substring(time, 3, 1)]) - early[month]
	leaps := (floor(year / 4) - floor(year / 100)) + floor(year / 400)
	date := (10 * digits[substring(time, 8, 1)]) + digits[substring(time, 9, 1)]
	day := (((((year + leaps) + shifts[month]) + date) + 6) % 7) + 1
}

thousands(time) := 1000 * digits[substring(time, 0, 1)]

digits := {"0": 0, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "6": 6, "7": 7, "8": 8, "9": 9}

# Januaries and Februaries belong to the year before.
early := {"01": 1, "02": 1, "03": 0, "04": 0, "05": 0, "06": 0, "07": 0, "08": 0, "09": 0, "10": 0, "11": 0, "12": 0}

shifts := {"01": 0, "02": 3, "03": 2, "04": 5, "05": 0, "06": 3, "07": 5, "08": 1, "09": 4, "10": 6, "11": 2, "12": 4}
