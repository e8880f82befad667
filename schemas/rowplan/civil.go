package rowplan

// daysFromCivil counts days from 1970-01-01 to a day of the proleptic Gregorian calendar, by eras of 400 years that begin on 1 March
// (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil). The year is one of 0 to 9999; 400 more keep everything above zero,
// so that the divisions are multiplications.
func daysFromCivil(year, month, day uint) int64 {
	year += 400
	fromMarch := month - 3
	if month <= 2 {
		year--
		fromMarch = month + 9
	}
	era := year / 400
	yearOfEra := year - era*400
	dayOfEra := yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + (153*fromMarch+2)/5 + day - 1
	return int64(era*146097+dayOfEra) - 719468 - 146097
}

// daysIn gives the length of a month.
func daysIn(year, month uint) uint {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// floorDiv divides towards minus infinity; b > 0.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// civilFromDays is the inverse of daysFromCivil (the same source, civil_from_days).
func civilFromDays(days int64) (year, month, day int64) {
	days += 719468
	era := floorDiv(days, 146097)
	dayOfEra := days - era*146097
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36524 - dayOfEra/146096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	shifted := (5*dayOfYear + 2) / 153 // month from March
	day = dayOfYear - (153*shifted+2)/5 + 1
	month = (shifted+2)%12 + 1
	year = yearOfEra + era*400
	if month <= 2 {
		year++
	}
	return year, month, day
}
