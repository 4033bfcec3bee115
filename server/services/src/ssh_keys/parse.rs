//! Reads a public key as OpenSSH writes it: a word for the kind, base64 of the key in SSH's own form (RFC 4253 and 5656), a comment. What is
//! stored is written anew from what was read, so no option, second line or other text gets into an `authorized_keys` file.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use domain::{
    Problem,
    ssh_keys::{RSA_BITS, TEXT_MAX},
};
use sha2::{Digest as _, Sha256};

/// Most bits of an RSA key that OpenSSH takes.
const RSA_BITS_MAX: usize = 16_384;
/// Curves, with the bytes of a coordinate of their points.
const CURVES: [(&str, usize); 3] = [("nistp256", 32), ("nistp384", 48), ("nistp521", 66)];

/// A key that is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// `ssh-ed25519 AAAA…`
    pub text: String,
    /// `SHA256:…`
    pub fingerprint: String,
    pub comment: String,
}

/// Errors: `Missing`; `PrivateKey`; `TooLong`; `WeakKey` for RSA; `BadFormat` for all that is no key of a kind that is taken.
pub fn parse(text: &str) -> Result<PublicKey, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::Missing);
    }
    if text.contains("PRIVATE KEY") {
        return Err(Problem::PrivateKey);
    }
    if text.chars().count() > TEXT_MAX as usize {
        return Err(Problem::TooLong { max: TEXT_MAX });
    }
    let wrong = || Problem::BadFormat { example: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA… li@laptop".into() };
    if text.contains(char::is_control) {
        return Err(wrong());
    }
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let (Some(kind), Some(data)) = (words.next(), words.next()) else { return Err(wrong()) };
    let comment = words.collect::<Vec<_>>().join(" ");
    let data = STANDARD.decode(data).map_err(|_| wrong())?;
    match check(kind, &data) {
        Some(Strength::Enough) => {}
        Some(Strength::Weak) => return Err(Problem::WeakKey { bits: RSA_BITS }),
        None => return Err(wrong()),
    }
    let fingerprint = format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&data)));
    Ok(PublicKey { text: format!("{kind} {}", STANDARD.encode(&data)), fingerprint, comment })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strength {
    Enough,
    Weak,
}

/// Whether the data is a whole key of this kind and nothing more.
fn check(kind: &str, data: &[u8]) -> Option<Strength> {
    let mut fields = Fields(data);
    (fields.next()? == kind.as_bytes()).then_some(())?;
    let mut strength = Strength::Enough;
    match kind {
        "ssh-ed25519" => ed25519(&mut fields)?,
        "ssh-rsa" => strength = rsa(&mut fields)?,
        // Keys on a hardware token; the application is the last field.
        "sk-ssh-ed25519@openssh.com" => {
            ed25519(&mut fields)?;
            fields.next().filter(|application| !application.is_empty())?;
        }
        "sk-ecdsa-sha2-nistp256@openssh.com" => {
            point(&mut fields, CURVES[0])?;
            fields.next().filter(|application| !application.is_empty())?;
        }
        _ => {
            let name = kind.strip_prefix("ecdsa-sha2-")?;
            point(&mut fields, CURVES.into_iter().find(|(curve, _)| *curve == name)?)?;
        }
    }
    fields.0.is_empty().then_some(strength)
}

fn ed25519(fields: &mut Fields<'_>) -> Option<()> {
    (fields.next()?.len() == 32).then_some(())
}

/// An uncompressed point of the curve.
fn point(fields: &mut Fields<'_>, (curve, bytes): (&str, usize)) -> Option<()> {
    let (name, point) = (fields.next()?, fields.next()?);
    (name == curve.as_bytes() && point.len() == 1 + 2 * bytes && point.first() == Some(&4)).then_some(())
}

fn rsa(fields: &mut Fields<'_>) -> Option<Strength> {
    let (exponent, modulus) = (positive(fields.next()?)?, positive(fields.next()?)?);
    let bits = modulus.len() * 8 - modulus.first()?.leading_zeros() as usize;
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    let good = bits <= RSA_BITS_MAX && is_odd(modulus) && is_odd(exponent) && exponent.len() <= 8 && exponent != [1];
    good.then_some(if bits < RSA_BITS as usize { Strength::Weak } else { Strength::Enough })
}

/// The digits of a positive number in its shortest form.
fn positive(number: &[u8]) -> Option<&[u8]> {
    match number {
        [0, rest @ ..] => rest.first().is_some_and(|byte| *byte >= 0x80).then_some(rest),
        [first, ..] => (*first < 0x80).then_some(number),
        [] => None,
    }
}

/// Fields of SSH's binary form: a length of four bytes, then so many bytes.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let (field, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        self.0 = rest;
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Made by ssh-keygen; the fingerprints are those that it shows.
    const GOOD: [(&str, &str); 4] = [
        (
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHkqJQz67Fz7AMAY/mC0VMP9qFFndLTJTEhAwJFce4To li@laptop",
            "SHA256:93NrMd2qOAOQpAmCdq9j8M0A42bnIsDbHGjopEP8PBU",
        ),
        (
            "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBAhXdBpWaHe/5t59Tj3E0E+o3Tn7SFlApoyOWknx9JRX1NE4d7pnTSr45G3x9v\
             IikG06upa8bB78BS4sisOf+r8=",
            "SHA256:1i6Tn08Fys3/m1rZgI44G5+DxekU3LKUGFyTWAmurhU",
        ),
        (
            "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAFslLOjLvbv4toLgijwjxtJm/3x7yWgGTIIBhg5ePJ/uzeRlYarol2uQsUbLt\
             zf7NacU8j+zRPlz7ubb2Zxb27LAgAWEKpOMu53lT4kPkOigdD1qn7BtGIG9gvZeDTiiddrdRl0Z2UHBhNAqjLTm/qrViirh17Hf94IIxdv4HjoPWZfMw== c",
            "SHA256:lDhvHwag5JgjH9n3VdHMb7aMNgKRLdbkNwspMoMaK7I",
        ),
        (
            "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDkWwBqfFJzoHm90VGVFeZdEbvMC/xs2R0oTFaflXTcXTSPnYTnzugb1J/TFhWBjGogLsDwkQzbfIxp+6q2AkhfbYD9TDexBUuot\
             mcoEF1KSlvw0nI0DnjVxQoUwbs8hbdZ76KTHC56Qg2mMyHTcUDB/xrtAE7i0wyLBvV/YDNULHFV7rdfxhxnB2X7jR3DOyT+YaWVGc+lEj+jNF+xcD9LE5SwyFynJHb8JGhWrrXo\
             TE4TBGWKaauEpr2VJi1GljAzmzHhEnBC11CotwwQOUOCxFxKqfxS+fOFVujo60f2SiztYR5AEaQzwm4uYRabPAfE7KL0FDRcW5H9fC+bT3c7 rsa",
            "SHA256:1zsGCiO69euNYUbJck9e6Cd2E75DVDx1OD6QxOObprs",
        ),
    ];
    const WEAK: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCdloBDHeWXkzmQkjBH+PT6IbhqoXqKyx1XIuGmmRUSPUZ6tpMFovoaZPpI+PlcSla6QcwujuKylWZFSn94SmsYeA\
                        MsJ+92edCudKzAHpGWd99YD9mwLSt18udSmVdOlu9uLsmj4Un/8OApv4W0cN/WY+a5QHYcsZwWuh1x0argMw== weak";

    #[test]
    fn keys_of_openssh_are_read_with_their_fingerprints() {
        for (text, fingerprint) in GOOD {
            let key = parse(&format!("  {text}\n")).unwrap();
            assert_eq!(key.fingerprint, fingerprint);
            assert!(text.starts_with(&key.text), "{}", key.text);
            assert_eq!(parse(&key.text).unwrap().fingerprint, fingerprint);
        }
        assert_eq!(parse(GOOD[0].0).unwrap().comment, "li@laptop");
    }

    #[test]
    fn what_is_weak_or_private_is_named_and_all_else_is_no_key() {
        assert_eq!(parse(WEAK), Err(Problem::WeakKey { bits: 2_048 }));
        assert_eq!(parse("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz"), Err(Problem::PrivateKey));
        assert_eq!(parse(" \n"), Err(Problem::Missing));
        assert_eq!(parse(&"a".repeat(4_001)), Err(Problem::TooLong { max: 4_000 }));
        let good = GOOD[0].0;
        let (kind, data) = good.split_once(' ').unwrap();
        let data = data.split(' ').next().unwrap();
        for bad in [
            kind.to_owned(),
            data.to_owned(),
            format!("command=\"sh\" {good}"),
            format!("{good}\nssh-ed25519 AAAA"),
            format!("{good}\0"),
            format!("ssh-rsa {data}"),
            format!("ssh-dss {data}"),
            format!("{kind} {}", &data[..data.len() - 4]),
            format!("{kind} {data}AAAA"),
            format!("{kind} {}", data.replace('A', "é")),
            format!("{kind} "),
        ] {
            assert!(matches!(parse(&bad), Err(Problem::BadFormat { .. })), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_one_plain_line(text in "(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp256|command=\"x\"| |\n|\t|AAAAC3NzaC1lZDI1NTE5|[A-Za-z0-9+/=é]{0,80}){0,5}", data in prop::collection::vec(any::<u8>(), 0..120)) {
            for text in [text, format!("ssh-ed25519 {}", STANDARD.encode(&data)), format!("ssh-rsa {}", STANDARD.encode([&b"\0\0\0\x07ssh-rsa"[..], &data[..]].concat()))] {
                if let Ok(key) = parse(&text) {
                    let plain = |c: char| c.is_ascii_alphanumeric() || "+/=- @.".contains(c);
                    prop_assert!(key.text.chars().all(plain) && key.text.split(' ').count() == 2, "{}", key.text);
                }
            }
        }
    }
}
