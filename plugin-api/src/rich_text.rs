//! The rich text (HTML) of the Conclusion section: how plain text becomes part of it.

use std::fmt::Write;

/// How many characters may be appended to a conclusion at once: each incident that a command changes
/// gets them, and a store keeps them with each.
pub const LONGEST_CONCLUSION: usize = 1 << 16;

/// Whether text is too long to be appended to a conclusion.
///
/// ```
/// use playdock_plugin_api::rich_text::{LONGEST_CONCLUSION, is_too_long};
/// assert!(!is_too_long(&"é".repeat(LONGEST_CONCLUSION)));
/// assert!(is_too_long(&"e".repeat(LONGEST_CONCLUSION + 1)));
/// ```
pub fn is_too_long(conclusion: &str) -> bool {
    conclusion.chars().nth(LONGEST_CONCLUSION).is_some()
}

/// Plain text as one new paragraph: escaped, line breaks kept. Appending it leaves what was there
/// before as it is.
///
/// ```
/// use playdock_plugin_api::rich_text::paragraph;
/// assert_eq!(paragraph("a < b\nc"), "<p>a &lt; b<br>c</p>");
/// ```
pub fn paragraph(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 7);
    html.push_str("<p>");
    // HTML has no U+0000: who reads it takes it for U+FFFD.
    let text = text.replace("\r\n", "\n").replace('\0', "\u{FFFD}");
    for (index, line) in text.split(['\n', '\r']).enumerate() {
        if index > 0 {
            html.push_str("<br>");
        }
        // Writing to a String can't fail.
        let _ = write!(html, "{}", Escaped(line));
    }
    html.push_str("</p>");
    html
}

/// Text with the five characters that mean something in HTML written as entities.
///
/// ```
/// use playdock_plugin_api::rich_text::Escaped;
/// assert_eq!(Escaped("<b> 'n' \"&\"").to_string(), "&lt;b&gt; &#39;n&#39; &quot;&amp;&quot;");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut rest = self.0;
        while let Some(index) = rest.find(['&', '<', '>', '"', '\'']) {
            formatter.write_str(&rest[..index])?;
            formatter.write_str(match rest.as_bytes()[index] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[index + 1..];
        }
        formatter.write_str(rest)
    }
}
