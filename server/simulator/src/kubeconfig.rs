//! The kubeconfig for the simulated cluster.

use std::net::SocketAddr;

use serde_json::json;

use crate::tls::Identity;

/// The YAML of a kubeconfig with one context.
pub fn render(addr: SocketAddr, identity: &Identity) -> String {
    let name = "simulated-cluster";
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": name, "preferences": {},
        "clusters": [{"name": name, "cluster": {"server": format!("https://{addr}"), "certificate-authority-data": base64(identity.authority_pem.as_bytes())}}],
        "users": [{"name": "admin", "user": {"token": identity.token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "admin"}}],
    });
    // A map of strings always has a YAML form.
    serde_yaml_ng::to_string(&config).unwrap_or_default()
}

/// Bytes in base64, padded.
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = ALPHABET[(group >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_padded() {
        let seen = [&b"a"[..], b"ab", b"abc", b"abcd"].map(super::base64);
        assert_eq!(seen, ["YQ==", "YWI=", "YWJj", "YWJjZA=="]);
    }
}
