package tollgate.calendar_test

import data.tollgate.calendar

test_weekdays_count_from_monday if {
	calendar.weekday("2026-01-05T00:00:00.000Z") == 1
	calendar.weekday("2026-01-11T23:59:59.999Z") == 7
	calendar.weekday("2024-02-29T12:00:00.000Z") == 4
	calendar.weekday("2000-03-01T12:00:00.000Z") == 3
	calendar.weekday("1970-01-01T00:00:00.000Z") == 4
}

test_what_is_no_time_has_no_weekday if {
	every time in [null, 7, "", "noon", "+010000-01-01T00:00:00.000Z", "2026-13-01T00:00:00.000Z"] {
		not calendar.weekday(time)
	}
}
