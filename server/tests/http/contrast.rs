//! Text with a background colour in the same rule of a style sheet has a contrast of at least 4.5:1 in both themes (WCAG 2.2, 1.4.3).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

const LEAST: f64 = 4.5;

/// Lightness, chroma, hue in degrees.
type Oklch = (f64, f64, f64);

fn sources() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../style");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "css"))
        .map(|path| uncommented(&fs::read_to_string(path).unwrap()))
        .collect()
}

fn uncommented(css: &str) -> String {
    let mut parts = css.split("/*");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once("*/").map_or("", |(_, rest)| rest))
}

/// The declarations `name: value` of a text without braces.
fn declarations(block: &str) -> BTreeMap<&str, &str> {
    block.split(';').filter_map(|line| line.split_once(':')).map(|(name, value)| (name.trim(), value.trim())).collect()
}

/// The arguments of a function; commas inside nested parentheses do not separate them.
fn arguments<'t>(value: &'t str, function: &str) -> Option<Vec<&'t str>> {
    let inside = value.strip_prefix(function)?.strip_prefix('(')?.strip_suffix(')')?;
    let (mut depth, mut begin, mut found) = (0, 0, Vec::new());
    for (at, letter) in inside.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                found.push(inside[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    found.push(inside[begin..].trim());
    Some(found)
}

/// The colour of a value in a theme (0 light, 1 dark); `None` if it is not a plain, opaque colour.
fn colour(value: &str, theme: usize, tokens: &BTreeMap<&str, &str>) -> Option<Oklch> {
    if let Some(sides) = arguments(value, "light-dark") {
        return colour(sides.get(theme)?, theme, tokens);
    }
    if let Some(token) = arguments(value, "var") {
        return colour(tokens.get(token.first()?)?, theme, tokens);
    }
    let numbers: Vec<f64> = arguments(value, "oklch")?.first()?.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
    (numbers.len() == 3).then(|| (numbers[0], numbers[1], numbers[2]))
}

/// Relative luminance: OKLab to linear sRGB (B. Ottosson), then the weights of WCAG.
fn luminance((lightness, chroma, hue): Oklch) -> f64 {
    let (green_red, blue_yellow) = (chroma * hue.to_radians().cos(), chroma * hue.to_radians().sin());
    let l = (lightness + 0.396_337_777_4 * green_red + 0.215_803_757_3 * blue_yellow).powi(3);
    let m = (lightness - 0.105_561_345_8 * green_red - 0.063_854_172_8 * blue_yellow).powi(3);
    let s = (lightness - 0.089_484_177_5 * green_red - 1.291_485_548 * blue_yellow).powi(3);
    let red = 4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s;
    let green = -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s;
    let blue = -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701 * s;
    0.2126 * red.clamp(0.0, 1.0) + 0.7152 * green.clamp(0.0, 1.0) + 0.0722 * blue.clamp(0.0, 1.0)
}

fn contrast(one: Oklch, other: Oklch) -> f64 {
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    if one > other { one / other } else { other / one }
}

#[test]
fn text_on_a_background_of_its_own_can_be_read() {
    let sources = sources();
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in sources.iter().flat_map(|css| css.split(['{', '}'])).flat_map(declarations).filter(|(name, _)| name.starts_with("--")) {
        values.entry(name).or_default().insert(value);
    }
    // A token that is redefined in a component has several colours, so it is skipped.
    let tokens: BTreeMap<&str, &str> =
        values.iter().filter(|(_, values)| values.len() == 1).flat_map(|(name, values)| values.iter().map(|value| (*name, *value))).collect();
    let (mut pairs, mut wrong) = (0, Vec::new());
    for css in &sources {
        let mut selector = "";
        for block in css.split('{') {
            let rules = block.split('}').next().unwrap_or_default();
            let found = declarations(rules);
            if let (Some(back), Some(text)) = (found.get("background").or_else(|| found.get("background-color")), found.get("color")) {
                for theme in [0, 1] {
                    if let (Some(back), Some(text)) = (colour(back, theme, &tokens), colour(text, theme, &tokens)) {
                        pairs += 1;
                        let ratio = contrast(back, text);
                        if ratio < LEAST {
                            wrong.push(format!("{selector}: {ratio:.2} in the {} theme", ["light", "dark"][theme]));
                        }
                    }
                }
            }
            selector = block.rsplit(['}', ';']).next().unwrap_or_default().trim();
        }
    }
    assert!(pairs > 40, "the style sheets were read: {pairs}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!((contrast((1.0, 0.0, 0.0), (0.0, 0.0, 0.0)) - 21.0).abs() < 0.01, "black on white");
}
