//! Text from elsewhere, made safe for a terminal: it can neither move the cursor nor turn around
//! the text that follows it.

use std::io::Write;

/// Says something beside the answer, on standard error. Where that can't be written, nobody
/// listens.
pub(super) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "playdock: {}", safe_lines(text));
}

/// A text on one line: line ends and tabs become spaces, other control characters and those that
/// override the direction of text a visible sign.
pub(super) fn safe(text: &str) -> String {
    let shown = |character: char| match character {
        '\n' | '\r' | '\t' => ' ',
        character if is_safe(character) => character,
        _ => '\u{fffd}',
    };
    text.chars().map(shown).collect()
}

/// A text of several lines, each made safe.
pub(super) fn safe_lines(text: &str) -> String {
    text.lines().map(safe).collect::<Vec<_>>().join("\n")
}

/// A text that is no longer than so many characters.
pub(super) fn clipped(text: &str, longest: usize) -> String {
    let safe = safe(text);
    match safe.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &safe[..end]),
        None => safe,
    }
}

fn is_safe(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_overrides_are_shown_as_signs_and_other_scripts_stay() {
        assert_eq!(safe("\u{1b}[31mred\n"), "\u{fffd}[31mred ");
        assert_eq!(safe("a\u{202e}b"), "a\u{fffd}b");
        assert_eq!(safe("שלום · 事件"), "שלום · 事件");
        assert_eq!(safe_lines("a\r\nb\u{7}"), "a\nb\u{fffd}");
    }

    #[test]
    fn long_text_is_clipped() {
        assert_eq!(clipped("abcdef", 3), "abc…");
        assert_eq!(clipped("abc", 3), "abc");
    }
}
