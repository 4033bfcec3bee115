//! Servers in a lab, as its kernel lists them in `/proc/net/tcp` and `/proc/net/tcp6`.

use serde::{Deserialize, Serialize};

/// A port on which a program in the lab takes connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ListeningPort {
    pub port: u16,
    /// It takes connections from inside the lab only, so the portal may not reach it.
    pub only_inside: bool,
}

/// Number of the state in which a socket takes connections.
const LISTEN: &str = "0A";
/// A word of the line above the sockets.
const HEADER: &str = "local_address";

/// The listening ports of one or both files, each once, in order. `None` if the text has no header line of these files.
pub fn listening(text: &str) -> Option<Vec<ListeningPort>> {
    if !text.contains(HEADER) {
        return None;
    }
    let mut found: Vec<_> = text.lines().filter_map(socket).collect();
    // The same port outside first, so that it is the one that stays.
    found.sort_unstable();
    found.dedup_by_key(|listening| listening.port);
    Some(found)
}

/// `   0: 0100007F:1F90 00000000:0000 0A ...`: number, local and remote address, state, all but the first hexadecimal.
fn socket(line: &str) -> Option<ListeningPort> {
    let mut words = line.split_ascii_whitespace();
    let (address, port) = words.nth(1)?.split_once(':')?;
    let state = words.nth(1)?;
    if state != LISTEN || port.len() != 4 || !address.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let only_inside = match address.len() {
        8 => is_loopback(address),
        // Each word of 32 bits has its bytes in the order of the machine: a mapped address begins with the third one.
        32 => address == "00000000000000000000000001000000" || address.starts_with("0000000000000000FFFF0000") && is_loopback(&address[24..]),
        _ => return None,
    };
    Some(ListeningPort { port: u16::from_str_radix(port, 16).ok()?, only_inside })
}

/// Whether it is in 127.0.0.0/8, whose first byte comes last.
fn is_loopback(address: &str) -> bool {
    address.ends_with("7F")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:22B8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 100 0 0 10 0
   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 2 1 0 100 0 0 10 0
   2: 0100007F:22B8 0100007F:8000 01 00000000:00000000 00:00000000 00000000  1000        0 3 1 0 100 0 0 10 0
   3: 0100007F:2135 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4 1 0 100 0 0 10 0
";
    const TCP6: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: 00000000000000000000000000000000:2135 00000000000000000000000000000000:0000 0A 00000000:00000000
   1: 00000000000000000000000001000000:1771 00000000000000000000000000000000:0000 0A 00000000:00000000
   2: 0000000000000000FFFF00000100007F:1772 00000000000000000000000000000000:0000 0A 00000000:00000000
";

    fn port(port: u16, only_inside: bool) -> ListeningPort {
        ListeningPort { port, only_inside }
    }

    #[test]
    fn listening_sockets_of_both_files_are_found_once() {
        let found = listening(&format!("{TCP}{TCP6}")).expect("both files");
        assert_eq!(found, [port(6_001, true), port(6_002, true), port(8_080, true), port(8_501, false), port(8_888, false)]);
    }

    #[test]
    fn other_texts_are_no_list() {
        assert_eq!(listening(""), None);
        assert_eq!(listening("cat: not found"), None);
        assert_eq!(listening("  sl  local_address rem_address   st"), Some(Vec::new()));
        let odd = "local_address\n0: x:22B8 y:0 0A\n1: 0100007F:G000 z:0 0A\n2: 01:22B8 0:0 0A\n3: 0100007F 0:0 0A\n4:\n\n";
        assert_eq!(listening(odd), Some(Vec::new()));
    }
}
