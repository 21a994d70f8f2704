//! The example in the documentation is a map, and a wrong map is refused by its line.

use super::*;

/// The map in the documentation of the module.
pub(in crate::incidents::import) fn documented() -> String {
    include_str!("../map.rs")
        .lines()
        .skip_while(|line| *line != "//! ```toml")
        .skip(1)
        .take_while(|line| *line != "//! ```")
        .map(|line| line.trim_start_matches("//!").trim_start().to_owned() + "\n")
        .collect()
}

const SMALL: &str = "[site]\nname = \"A\"\n[columns]\nnumber = \"id\"\n";

fn error(more: &str) -> String {
    Map::parse(&format!("{SMALL}{more}")).expect_err("the map is wrong").to_string()
}

#[test]
fn the_documented_map_is_a_map() {
    let map = Map::parse(&documented()).unwrap();
    assert_eq!(map.site.time_zone.unwrap().0, "Europe/Lisbon");
    assert_eq!(map.states["Awaiting User Info"], Status::OnHold);
    assert_eq!(map.required_on_close[0].name.as_deref(), Some("Close code"));
    assert_eq!(map.users[0].may_close, Some(true));
}

#[test]
fn only_the_site_and_the_number_must_be_there() {
    assert!(Map::parse(SMALL).unwrap().site.time_zone.is_none());
    assert!(Map::parse("").is_err());
}

#[test]
fn names_the_line_and_the_reason() {
    let cases = [
        ("[states", "line 5: "),
        ("statuses = 1", "line 5: unknown field `statuses`, expected one of `number`"),
        ("[[users]]\nusername = \"u\"\nmayclose = true", "line 7: unknown field `mayclose`"),
        ("status = \"s\"\n[states]\nNew = \"Opened\"", "line 7: \"Opened\" is none of Open, In P"),
        ("[dates]\nformat = \"%d/%!\"", "line 5: the date format \"%d/%!\" is wrong: "),
        ("[dates]\nformat = \"%Q\"", "line 5: the date format \"%Q\" is wrong: "),
        ("[dates]\nformat = \"%F\"\ntime_zone = \"CEST\"", "line 5: unknown time zone \"CEST\""),
        ("[states]\nNew = \"Open\"", "there are states but no column for them; name it as "),
        (
            "status = \"s\"\n[states]\nNew = \"Open\"\n",
            "the state \"New\" is in \"states\" and in \"leave_out\"; keep one",
        ),
        ("[[users]]\nusername = \" \"", "a username is blank; give it a text"),
    ];
    for (more, sentence) in cases {
        let found = if sentence.contains("leave_out") {
            let text = format!("leave_out = [\"New\"]\n{SMALL}{more}");
            Map::parse(&text).expect_err("the map is wrong").to_string()
        } else {
            error(more)
        };
        assert!(found.starts_with(sentence), "{more}: {found}");
        assert!(!found.contains('\n'), "{found}");
    }
}
