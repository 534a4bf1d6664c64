//! English phrases for times, with the rules and the corners of the library that bd uses for them (olebedev/when 1.1.0): each
//! rule looks for its words anywhere in the text, rules whose matches lie together apply in a fixed order, the rest is ignored.
//!
//! The corners are kept on purpose (`in 2 months` in December changes the month and not the year; `5/12` before December means
//! now), because a phrase must mean to us what it means to bd.

#![expect(
    clippy::unnecessary_wraps,
    reason = "rules that never refuse stand in one table with those that do"
)]

use std::sync::LazyLock;

use jiff::{SignedDuration, Zoned};
use regex::{Captures, Regex};

use super::{local, normalized};

/// What the rules have found out: a distance, and parts of the calendar to be set afterwards.
#[derive(Debug, Default)]
struct Found {
    distance: SignedDuration,
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    hour: Option<i64>,
    minute: Option<i64>,
    second: Option<i64>,
}

/// Whether a rule applied. `Err` is a text that the library cannot make a number of: then the whole phrase is refused.
type Applied = Result<bool, ()>;

struct Rule {
    pattern: Regex,
    apply: fn(&Captures<'_>, &mut Found, &Zoned) -> Applied,
}

/// In the order in which they apply.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    const DAYS: &str =
        "sunday|sun|monday|mon|tuesday|tue|wednesday|wed|thursday|thur|thu|friday|fri|saturday|sat";
    const MONTHS: &str = r"january|jan\.?|february|feb\.?|march|mar\.?|april|apr\.?|may|june|jun\.?|july|jul\.?|august|aug\.?|september|sept?\.?|october|oct\.?|november|nov\.?|december|dec\.?";
    const COUNT: &str =
        r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[0-9]+|an?(?:S*few)?|half(?:S*an?)?";
    const UNIT: &str = "seconds?|min(?:ute)?s?|hours?|days?|weeks?|months?|years?";
    const HALF: &str = r"A\.|P\.|A\.M\.|P\.M\.|AM?|PM?";
    let ordinals =
        ordinals().map(|(number, word)| format!("{}|{}", short(number), word.replace(' ', "[ -]")));
    let ordinals = ordinals.collect::<Vec<_>>().join("|");
    // B: a border in front; E: a border behind; S: white space.
    let rule = |pattern: String, apply| {
        let pattern = pattern.replace('B', r"(?:[^0-9A-Za-z_]|^)").replace('E', r"(?:[^0-9A-Za-z_]|$)");
        let pattern = pattern.replace('S', r"[\t\n\x0C\r ]");
        Regex::new(&format!("(?i){pattern}")).ok().map(|pattern| Rule { pattern, apply })
    };
    [
        rule(
            format!("B(?:onS*?)?(?:(this|last|past|next)S*)?({DAYS})(?:S*(this|last|past|next)S*week)?E"),
            weekday,
        ),
        rule(
            "B(now|today|tonight|lastS*night|(?:tomorrow|tmr|yesterday)S*|tomorrow|tmr|yesterday)E".into(),
            day,
        ),
        rule("B((?:this)?S*(morning|afternoon|evening|noon))".into(), part_of_day),
        rule(format!("B([0-9]{{1,2}})(?:S*({}))E", HALF.to_lowercase()), hour),
        rule(
            format!("B([01]?[0-9]|2[0-3])[:：-]([0-5][0-9])(?:S*({}))?E", HALF.to_lowercase()),
            hour_and_minute,
        ),
        rule(format!("B(within|in)S*({COUNT})S*({UNIT})S*E"), ahead),
        rule(format!("BS*({COUNT})S*({UNIT}) (ago)S*E"), ago),
        rule(
            format!("B(?:(?:({ordinals})(?:S+of)?|([0-9]+))S*)?({MONTHS})(?:S*(?:({ordinals})|([0-9]+)))?E"),
            month,
        ),
        rule(
            r"B(0?[1-9]|1[0-9]|2[0-9]|3[01])[/\\](0?[1-9]|1[0-2])(?:[/\\]([12][0-9]{3})S*)?E".into(),
            slashes,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
});

/// How far apart two matches may lie and still belong together, in bytes.
const DISTANCE: usize = 5;

/// The time that a phrase means, or `None` if no rule finds its words.
pub(super) fn parse(text: &str, now: &Zoned) -> Option<Zoned> {
    let mut matches: Vec<_> = RULES
        .iter()
        .enumerate()
        .filter_map(|(order, rule)| {
            let captures = rule.pattern.captures(text)?;
            let groups: Vec<_> = captures.iter().skip(1).flatten().collect();
            let (left, right) = (groups.first()?.start(), groups.last()?.end());
            Some((left, right, order, rule, captures))
        })
        .collect();
    matches.sort_by_key(|(left, ..)| *left);
    let mut end = matches.first()?.1;
    let together = matches.iter().take_while(|(left, right, ..)| {
        let near = *left <= end + DISTANCE;
        end = if near { *right } else { end };
        near
    });
    let together = together.count();
    matches.truncate(together);
    matches.sort_by_key(|(_, _, order, ..)| *order);
    let mut found = Found::default();
    let mut applied = false;
    for (_, _, _, rule, captures) in &matches {
        applied |= (rule.apply)(captures, &mut found, now).ok()?;
    }
    if applied { found.at(now) } else { None }
}

impl Found {
    /// Each part is set on its own, and what overflows counts on, as in Go.
    fn at(&self, now: &Zoned) -> Option<Zoned> {
        let mut time = now.checked_add(self.distance).ok()?;
        let parts = |time: &Zoned| {
            let day = i64::from(time.day());
            (i64::from(time.year()), i64::from(time.month()), day)
        };
        for (year, month, day) in [(self.year, None, None), (None, self.month, None), (None, None, self.day)]
        {
            let old = parts(&time);
            let date = normalized(year.unwrap_or(old.0), month.unwrap_or(old.1), day.unwrap_or(old.2))?;
            if year.or(month).or(day).is_some() {
                time = local(date, time.time(), time.time_zone())?;
            }
        }
        let small = |part: Option<i64>| part.map(|part| i8::try_from(part).ok());
        let mut clock = time.time().with();
        if let Some(hour) = small(self.hour) {
            clock = clock.hour(hour?);
        }
        if let Some(minute) = small(self.minute) {
            clock = clock.minute(minute?);
        }
        if let Some(second) = small(self.second) {
            clock = clock.second(second?);
        }
        local(time.date(), clock.build().ok()?, time.time_zone())
    }
}

fn group<'t>(captures: &'t Captures<'_>, at: usize) -> &'t str {
    captures.get(at).map_or("", |group| group.as_str().trim())
}

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count.saturating_mul(86_400))
}

/// Days from `from` to the next `to`; a week if they are the same.
fn days_ahead(from: i64, to: i64) -> i64 {
    match (to - from).rem_euclid(7) {
        0 => 7,
        days => days,
    }
}

fn weekday(captures: &Captures<'_>, found: &mut Found, now: &Zoned) -> Applied {
    let day = group(captures, 2).to_lowercase();
    let names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    let Some(wanted) = names.iter().position(|name| day.starts_with(name)) else { return Ok(false) };
    let wanted = i64::try_from(wanted).map_err(|_| ())?;
    let today = i64::from(now.weekday().to_sunday_zero_offset());
    let which = format!("{}{}", group(captures, 1), group(captures, 3)).to_lowercase();
    found.distance = if which.contains("past") || which.contains("last") {
        days(-days_ahead(wanted, today))
    } else if which.is_empty() || which.contains("next") {
        days(days_ahead(today, wanted))
    } else if wanted == today {
        return Ok(true);
    } else {
        days(wanted - today)
    };
    Ok(true)
}

fn day(captures: &Captures<'_>, found: &mut Found, _: &Zoned) -> Applied {
    let word = group(captures, 1).to_lowercase();
    if word.contains("tonight") {
        (found.hour, found.minute) = (Some(23), Some(0));
    } else if word.contains("tomorrow") || word.contains("tmr") {
        found.distance = found.distance.saturating_add(days(1));
    } else if word.contains("yesterday") {
        found.distance = found.distance.saturating_sub(days(1));
    } else if word.contains("last night") {
        found.hour = Some(23);
        found.distance = found.distance.saturating_sub(days(1));
    }
    Ok(true)
}

fn part_of_day(captures: &Captures<'_>, found: &mut Found, _: &Zoned) -> Applied {
    let hour = match group(captures, 2).to_lowercase().as_str() {
        "afternoon" => 15,
        "evening" => 18,
        "morning" => 8,
        _ => 12,
    };
    (found.hour, found.minute) = (Some(hour), Some(0));
    Ok(true)
}

/// The hour of a day from one of a half day.
fn half_day(hour: i64, half: &str) -> i64 {
    if half.starts_with(['p', 'P']) && hour < 12 { hour + 12 } else { hour }
}

fn hour(captures: &Captures<'_>, found: &mut Found, _: &Zoned) -> Applied {
    let hour: i64 = group(captures, 1).parse().map_err(|_| ())?;
    if hour > 12 {
        return Ok(false);
    }
    found.hour = Some(half_day(hour, group(captures, 2)));
    (found.minute, found.second) = (Some(0), Some(0));
    Ok(true)
}

fn hour_and_minute(captures: &Captures<'_>, found: &mut Found, _: &Zoned) -> Applied {
    let hour: i64 = group(captures, 1).parse().map_err(|_| ())?;
    found.minute = Some(group(captures, 2).parse().map_err(|_| ())?);
    let half = group(captures, 3);
    if !half.is_empty() && hour > 12 {
        return Ok(false);
    }
    found.hour = Some(half_day(hour, half));
    found.second = Some(0);
    Ok(true)
}

fn ahead(captures: &Captures<'_>, found: &mut Found, now: &Zoned) -> Applied {
    distance(group(captures, 2), group(captures, 3), 1, found, now)
}

fn ago(captures: &Captures<'_>, found: &mut Found, now: &Zoned) -> Applied {
    distance(group(captures, 1), group(captures, 2), -1, found, now)
}

/// So many units from now. Only lower-case words have a meaning.
fn distance(count: &str, unit: &str, sign: i64, found: &mut Found, now: &Zoned) -> Applied {
    const NUMBERS: [&str; 12] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    let half = count.contains("half");
    let number = NUMBERS.iter().zip(1..).find(|(word, _)| **word == count).map(|(_, number)| number);
    let number: i64 = match (number, count) {
        (Some(number), _) => number,
        (None, "a" | "an") => 1,
        (None, few) if few.contains("few") => 3,
        (None, _) if half => 0,
        (None, digits) => digits.parse().map_err(|_| ())?,
    };
    let seconds = |whole: i64, half_of: i64| {
        let seconds = if half { half_of } else { number.saturating_mul(whole) };
        SignedDuration::from_secs(sign * seconds)
    };
    let month = i64::from(now.month());
    if unit.contains("second") {
        if !half {
            found.distance = seconds(1, 0);
        }
    } else if unit.contains("min") {
        if !half {
            found.distance = seconds(60, 0);
        }
    } else if unit.contains("hour") {
        found.distance = seconds(3600, 1800);
    } else if unit.contains("day") {
        found.distance = seconds(86_400, 43_200);
    } else if unit.contains("week") {
        found.distance = seconds(7 * 86_400, 7 * 43_200);
    } else if unit.contains("month") {
        if half {
            found.distance = seconds(0, 14 * 86_400);
        } else {
            found.month = Some(month.saturating_add(sign * number) % 12);
        }
    } else if unit.contains("year") {
        if half {
            found.month = Some((month + sign * 6) % 12);
        } else {
            found.year = Some(i64::from(now.year()).saturating_add(sign * number));
        }
    }
    Ok(true)
}

/// `third`, `21st`: the words and their short forms.
fn ordinals() -> impl Iterator<Item = (i64, String)> {
    const FIRST: [&str; 20] = [
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "seventh",
        "eighth",
        "ninth",
        "tenth",
        "eleventh",
        "twelfth",
        "thirteenth",
        "fourteenth",
        "fifteenth",
        "sixteenth",
        "seventeenth",
        "eighteenth",
        "nineteenth",
        "twentieth",
    ];
    let twenties = FIRST.iter().take(9).map(|word| format!("twenty {word}"));
    let words = FIRST.iter().map(ToString::to_string).chain(twenties);
    (1..).zip(words.chain(["thirtieth".to_owned(), "thirty first".to_owned()]))
}

fn short(number: i64) -> String {
    let ending = match (number % 10, number / 10) {
        (1, tens) if tens != 1 => "st",
        (2, tens) if tens != 1 => "nd",
        (3, tens) if tens != 1 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

fn month(captures: &Captures<'_>, found: &mut Found, _: &Zoned) -> Applied {
    let name = group(captures, 3).to_lowercase();
    let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let Some((_, number)) = names.iter().zip(1..).find(|(start, _)| name.starts_with(**start)) else {
        return Ok(false);
    };
    found.month = Some(number);
    for (word, digits) in [(1, 2), (4, 5)] {
        let word = group(captures, word).to_lowercase().replace('-', " ");
        if !word.is_empty() {
            let Some((number, _)) = ordinals().find(|(number, long)| *long == word || short(*number) == word)
            else {
                return Ok(false);
            };
            found.day = Some(number);
        }
        let digits = group(captures, digits);
        if !digits.is_empty() {
            // Go reads a number of eight bits here.
            let Ok(number) = digits.parse::<i8>() else { return Ok(false) };
            found.day = Some(number.into());
        }
    }
    Ok(true)
}

/// Day, month and perhaps year. Without a year: the next such day, but a later month of this year is ignored.
fn slashes(captures: &Captures<'_>, found: &mut Found, now: &Zoned) -> Applied {
    let number = |at| group(captures, at).parse::<i64>();
    let (Ok(day), Ok(month)) = (number(1), number(2)) else { return Ok(false) };
    let (this_year, this_month, today) =
        (i64::from(now.year()), i64::from(now.month()), i64::from(now.day()));
    let last_day = |year: i64| match month {
        // The library's leap years: every fourth.
        2 if (year - 2000) % 4 == 0 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let year = match number(3) {
        Ok(year) => year,
        Err(_) if this_month > month => this_year + 1,
        Err(_) if this_month < month => return Ok(true),
        Err(_) if last_day(this_year) < day || day == today => return Ok(false),
        Err(_) if day > today => this_year,
        Err(_) => this_year + 1,
    };
    if last_day(year) < day {
        return Ok(false);
    }
    (found.year, found.month, found.day) = (Some(year), Some(month), Some(day));
    Ok(true)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::super::natural_phrases::PHRASES;
    use super::*;

    /// Wednesday, 12 August 2026, 10:20:30.
    fn now() -> Zoned {
        "2026-08-12T10:20:30Z".parse::<Timestamp>().unwrap().to_zoned(TimeZone::UTC)
    }

    fn reads(text: &str) -> Option<String> {
        parse(text, &now()).map(|time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
    }

    #[test]
    fn every_rule_is_there() {
        assert_eq!(RULES.len(), 9);
    }

    /// What bd 1.1.0's library makes of these phrases at that moment.
    #[test]
    fn phrases_mean_what_they_mean_to_bd() {
        for (text, expected) in PHRASES {
            assert_eq!(reads(text).as_deref(), *expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "(in|on|next|last|[0-9]{0,4}|ago|month|years?|[/:. -]|may|sept|1st|pm|half|few|fri| ){0,12}|.{0,40}") {
            drop(parse(&text, &now()));
        }
    }
}
