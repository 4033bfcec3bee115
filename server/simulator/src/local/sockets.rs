//! Sockets on which the processes of a container take connections: of all that listen on this machine, these alone are the lab's. Functions
//! that read `/proc` block.

use std::{
    collections::HashSet,
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use super::process;

/// The kernel's lists.
const FILES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// A socket that takes connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Socket {
    address: IpAddr,
    port: u16,
    inode: u64,
}

impl Socket {
    /// `None` for lines of other sockets, and for those above them.
    fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        // Number, local and remote address, state (0A takes connections), queues, timers, retransmissions, user, time, inode.
        let [_, local, _, "0A", _, _, _, _, _, inode, ..] = words.as_slice() else { return None };
        let (address, port) = local.split_once(':')?;
        Some(Self { address: read_address(address)?, port: u16::from_str_radix(port, 16).ok()?, inode: inode.parse().ok()? })
    }

    /// Whether it, or another one more exactly, takes a connection to this address. One of IPv6 may take those of IPv4 too.
    fn may_answer(&self, address: IpAddr) -> bool {
        self.address == address || self.address.is_unspecified() && (self.address.is_ipv6() || address.is_ipv4())
    }

    /// Addresses by which it is reached.
    fn reached_by(&self) -> Vec<IpAddr> {
        match self.address {
            IpAddr::V4(address) if address.is_unspecified() => vec![Ipv4Addr::LOCALHOST.into()],
            IpAddr::V6(address) if address.is_unspecified() => vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()],
            address => vec![address],
        }
    }
}

/// The kernel writes each 32 bits as a number of this machine.
fn read_address(text: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(text.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    match text.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (at, place) in bytes.chunks_exact_mut(4).enumerate() {
                place.copy_from_slice(&word(8 * at)?);
            }
            let address = Ipv6Addr::from(bytes);
            Some(address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4))
        }
        _ => None,
    }
}

/// Whether a command asks for the lists, which hold the sockets of the whole machine.
pub fn are_asked(command: &[String]) -> bool {
    let Some((program, files)) = command.split_first() else { return false };
    matches!(program.as_str(), "cat" | "/bin/cat" | "/usr/bin/cat") && !files.is_empty() && files.iter().all(|file| FILES.contains(&file.as_str()))
}

/// The lists with the sockets of the processes with this mark alone. `ports`: those that the container declares, which are listed in the place
/// of those that they lead to. Empty where there is no `/proc`.
pub fn listed(files: &[String], mark: &str, ports: &[(u16, u16)]) -> String {
    let own = inodes(&[mark.to_owned()]);
    let texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
    texts.fold(String::new(), |all, text| all + &own_lines(&text, &own, ports))
}

fn own_lines(text: &str, own: &HashSet<u64>, ports: &[(u16, u16)]) -> String {
    let mut lines = String::new();
    for (at, line) in text.lines().enumerate() {
        let socket = Socket::read(line).filter(|socket| own.contains(&socket.inode));
        if at > 0 && socket.is_none() {
            continue;
        }
        let chosen = socket.and_then(|socket| ports.iter().find(|(_, chosen)| *chosen == socket.port));
        match chosen {
            // The local address comes first.
            Some((declared, chosen)) => lines.push_str(&line.replacen(&format!(":{chosen:04X} "), &format!(":{declared:04X} "), 1)),
            None => lines.push_str(line),
        }
        lines.push('\n');
    }
    lines
}

/// The addresses by which a port of the processes with these marks is reached, and no other program of this machine.
pub fn addresses(marks: &[String], port: u16) -> Vec<SocketAddr> {
    let texts = FILES.iter().filter_map(|file| fs::read_to_string(file).ok());
    let sockets: Vec<Socket> = texts.flat_map(|text| text.lines().filter_map(Socket::read).collect::<Vec<_>>()).collect();
    if sockets.iter().all(|socket| socket.port != port) {
        return Vec::new();
    }
    own_addresses(&sockets, &inodes(marks), port)
}

fn own_addresses(sockets: &[Socket], own: &HashSet<u64>, port: u16) -> Vec<SocketAddr> {
    let here = move || sockets.iter().filter(move |socket| socket.port == port);
    let is_own = |socket: &Socket| own.contains(&socket.inode);
    let reached = here().filter(|socket| is_own(socket)).flat_map(Socket::reached_by);
    let only_own = reached.filter(|address| here().filter(|socket| socket.may_answer(*address)).all(is_own));
    only_own.map(|address| SocketAddr::new(address, port)).collect()
}

/// The sockets that the processes with these marks hold.
fn inodes(marks: &[String]) -> HashSet<u64> {
    let processes = process::marks().into_iter().filter(|(_, mark)| marks.contains(mark));
    let open = processes.flat_map(|(process, _)| fs::read_dir(process.join("fd")).into_iter().flatten().flatten());
    open.filter_map(|entry| inode(fs::read_link(entry.path()).ok()?.to_str()?)).collect()
}

/// `socket:[4711]`
fn inode(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:22B8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 100 0 0 10 0
   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 2 1 0 100 0 0 10 0
   2: 0100007F:22B8 0100007F:8000 01 00000000:00000000 00:00000000 00000000  1000        0 3 1 0 100 0 0 10 0
";
    const TCP6: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt
   0: 00000000000000000000000001000000:1771 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4 1
   1: 0000000000000000FFFF00000100007F:1772 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 5 1
";

    fn socket(address: &str, inode: u64) -> Socket {
        Socket { address: address.parse().unwrap(), port: 8_501, inode }
    }

    fn reached(sockets: &[Socket], own: &[u64]) -> Vec<String> {
        let found = own_addresses(sockets, &own.iter().copied().collect(), 8_501);
        found.iter().map(|address| address.ip().to_string()).collect()
    }

    #[test]
    fn a_list_has_the_lines_of_the_own_sockets_alone() {
        let own = HashSet::from([2, 3, 5]);
        let lines = own_lines(TCP, &own, &[(8_888, 8_080)]) + &own_lines(TCP6, &own, &[]);
        let ports: Vec<_> = lines.lines().filter_map(|line| line.split_ascii_whitespace().nth(1)).collect();
        assert_eq!(ports, ["local_address", "0100007F:22B8", "local_address", "0000000000000000FFFF00000100007F:1772"]);
    }

    #[test]
    fn addresses_are_read_as_the_kernel_writes_them() {
        assert_eq!(read_address("0100007F"), Some(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(read_address("00000000000000000000000001000000"), Some(Ipv6Addr::LOCALHOST.into()));
        assert_eq!(read_address("0000000000000000FFFF00000100007F"), Some(Ipv4Addr::LOCALHOST.into()));
        assert_eq!((read_address("01"), read_address("local_address"), read_address("0x00007F")), (None, None, None));
    }

    #[test]
    fn no_connection_meant_for_a_lab_reaches_another_program() {
        assert_eq!(reached(&[socket("0.0.0.0", 1)], &[1]), ["127.0.0.1"]);
        assert_eq!(reached(&[socket("::", 1)], &[1]), ["::1", "127.0.0.1"]);
        assert_eq!(reached(&[socket("127.0.0.1", 1)], &[2]), [""; 0], "it is somebody else's");
        assert_eq!(reached(&[socket("127.0.0.2", 1)], &[1]), ["127.0.0.2"]);
        // The portal listens beside it: the more exact address, and the same one, which two programs may share.
        assert_eq!(reached(&[socket("::", 1), socket("127.0.0.1", 2)], &[1]), ["::1"]);
        assert_eq!(reached(&[socket("0.0.0.0", 1), socket("0.0.0.0", 2)], &[1]), [""; 0]);
        assert_eq!(reached(&[socket("127.0.0.2", 1), socket("127.0.0.1", 2)], &[1]), ["127.0.0.2"]);
    }

    #[test]
    fn only_the_question_of_the_portal_is_answered_here() {
        let asked = |words: &[&str]| are_asked(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert!(asked(&["cat", "/proc/net/tcp", "/proc/net/tcp6"]));
        assert!(!asked(&[]) && !asked(&["cat"]) && !asked(&["cat", "/proc/net/tcp", "notes.txt"]) && !asked(&["sh", "-c", "cat /proc/net/tcp"]));
    }

    #[tokio::test]
    async fn the_sockets_of_a_process_are_found_by_its_mark() {
        let mark = format!("test-{}/sockets", std::process::id());
        // It inherits a socket as its input and does nothing with it.
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let input = std::process::Stdio::from(std::os::fd::OwnedFd::from(listener));
        let mut command = tokio::process::Command::new("sleep");
        let child = command.arg("1000").env(process::MARK, &mark).stdin(input).kill_on_drop(true).spawn().unwrap();
        // The command holds it too.
        drop(command);
        assert_eq!(addresses(std::slice::from_ref(&mark), port), [SocketAddr::from((Ipv4Addr::LOCALHOST, port))]);
        assert!(addresses(&["another".to_owned()], port).is_empty());
        let files = FILES.map(str::to_owned);
        assert!(listed(&files, &mark, &[(8_888, port)]).contains("0100007F:22B8 "), "the declared port");
        drop(child);
    }
}
