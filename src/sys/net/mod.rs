//! Ports: who listens, whether one is free.
//!
//! Linux: the kernel tells the inode of each listening socket (`sock_diag`, else `/proc/net/tcp{,6}`), and
//! `/proc/<pid>/fd` the process that has it open. This is done in-process: the tools that others call for it (`lsof`,
//! `ss`) are often not installed. Elsewhere only the free-port test works and holders stay unnamed.

#[cfg(target_os = "linux")]
mod diag;

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use super::descriptors::Descriptors;
use super::process::Pid;

/// A TCP port, 1 to 65535.
pub type Port = std::num::NonZeroU16;

/// Where a process listens.
#[derive(Debug)]
pub struct Listening {
    // Every listening socket of the machine, and the inodes of the process's own.
    sockets: HashMap<u64, SocketAddr>,
    own: Vec<u64>,
}

/// The ports that this process listens on. Empty if it has none or we may not look.
pub fn listening_ports(pid: Pid) -> Vec<Port> {
    Listening::of(&Descriptors::of(pid)).ports()
}

/// Whether this process listens on that port. Made to be asked often: it looks at the process only once anybody listens
/// there.
pub fn listens_on(pid: Pid, port: Port) -> bool {
    let mut sockets = listening_sockets();
    sockets.retain(|_, address| address.port() == port.get());
    !sockets.is_empty() && Descriptors::of(pid).sockets().any(|inode| sockets.contains_key(&inode))
}

impl Listening {
    /// Where the process of these descriptors does.
    pub fn of(descriptors: &Descriptors) -> Self {
        let sockets = listening_sockets();
        let own = descriptors.sockets().filter(|inode| sockets.contains_key(inode)).collect();
        Self { sockets, own }
    }

    /// The ports.
    pub fn ports(&self) -> Vec<Port> {
        let mut ports: Vec<Port> = self.own_addresses().filter_map(port_of).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// An address of this machine at which a connection reaches this very process on that port, and nobody else who listens on
    /// the same port at another address. The loopback goes first.
    pub fn address(&self, port: Port) -> Option<SocketAddr> {
        let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        let own = self.own_addresses().filter(|address| address.port() == port.get()).map(SocketAddr::ip);
        let candidates = loopback.into_iter().chain(own.filter(|ip| !ip.is_unspecified()));
        let is_own = |ip: &IpAddr| {
            let answering = self.answering(*ip, port);
            !answering.is_empty() && answering.iter().all(|inode| self.own.contains(inode))
        };
        candidates.into_iter().find(is_own).map(|ip| SocketAddr::new(ip, port.get()))
    }

    // The kernel hands a connection to the listener that is most particular about its address.
    fn answering(&self, ip: IpAddr, port: Port) -> Vec<u64> {
        let wildcards = match ip {
            IpAddr::V4(_) => vec![Ipv4Addr::UNSPECIFIED.into(), IpAddr::from(Ipv6Addr::UNSPECIFIED)],
            IpAddr::V6(_) => vec![Ipv6Addr::UNSPECIFIED.into()],
        };
        let at = |wanted: IpAddr| {
            let wanted = SocketAddr::new(wanted, port.get());
            let found = self.sockets.iter().filter(|(_, address)| **address == wanted);
            found.map(|(inode, _)| *inode).collect::<Vec<_>>()
        };
        let mut ways = std::iter::once(ip).chain(wildcards).map(at);
        ways.find(|found| !found.is_empty()).unwrap_or_default()
    }

    fn own_addresses(&self) -> impl Iterator<Item = &SocketAddr> {
        self.own.iter().filter_map(|inode| self.sockets.get(inode))
    }
}

fn port_of(address: &SocketAddr) -> Option<Port> {
    Port::new(address.port())
}

/// What is known about who listens on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortUse {
    /// Nobody.
    Free,
    /// This process.
    Process(Pid),
    /// Somebody whom we may not see (another user, another container).
    Unnamed,
}

/// Looks who listens on `port` on any local address.
pub fn port_use(port: Port) -> PortUse {
    let inodes: Vec<u64> = listening_sockets()
        .into_iter()
        .filter(|(_, a)| a.port() == port.get())
        .map(|(inode, _)| inode)
        .collect();
    if inodes.is_empty() {
        return if can_bind(port) { PortUse::Free } else { PortUse::Unnamed };
    }
    let Ok(processes) = fs::read_dir("/proc") else {
        return PortUse::Unnamed;
    };
    let pids = processes.flatten().filter_map(|e| Pid::parse(e.file_name().to_str()?));
    for pid in pids {
        if Descriptors::of(pid).sockets().any(|inode| inodes.contains(&inode)) {
            return PortUse::Process(pid);
        }
    }
    PortUse::Unnamed
}

/// The first port from `from` on that nobody listens on.
pub fn free_port_from(from: Port) -> Option<Port> {
    (from.get()..=u16::MAX).filter_map(Port::new).find(|p| can_bind(*p))
}

fn can_bind(port: Port) -> bool {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port.get()))).is_ok()
}

fn listening_sockets() -> HashMap<u64, SocketAddr> {
    #[cfg(target_os = "linux")]
    match diag::listening() {
        Ok(found) => return found.into_iter().collect(),
        // A container may forbid the question.
        Err(error) => tracing::debug!(%error, "sock_diag does not answer"),
    }
    sockets_in_proc()
}

// Rows of proc(5) net/tcp: `sl local_address rem_address st … inode`; state 0A is LISTEN, the port is hexadecimal.
fn sockets_in_proc() -> HashMap<u64, SocketAddr> {
    let mut found = HashMap::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let Ok(text) = fs::read_to_string(table) else {
            continue;
        };
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if fields.get(3) != Some(&"0A") {
                continue;
            }
            let address = fields.get(1).and_then(|text| address_in_proc(text));
            let inode = fields.get(9).and_then(|i| i.parse().ok());
            if let (Some(address), Some(inode)) = (address, inode) {
                found.insert(inode, address);
            }
        }
    }
    found
}

// `0100007F:0CEB`: words of four bytes, each as this machine reads it from the network's order; the port is a plain number.
fn address_in_proc(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok().filter(|port| *port != 0)?;
    let words = address.as_bytes().chunks(8).map(|word| {
        let word = u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?;
        Some(word.to_ne_bytes())
    });
    let bytes = words.collect::<Option<Vec<_>>>()?.concat();
    let ip = match bytes.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?),
        _ => IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?),
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn our_own_listener_is_found_by_process_and_by_port() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = Port::new(listener.local_addr().unwrap().port()).unwrap();
        assert!(listening_ports(Pid::own()).contains(&port));
        assert_eq!(port_use(port), PortUse::Process(Pid::own()));
        let address_of = |pid| Listening::of(&Descriptors::of(pid)).address(port);
        assert_eq!(address_of(Pid::own()), listener.local_addr().ok());
        let next = free_port_from(port).unwrap();
        assert_ne!(next, port);
        drop(listener);
        assert_eq!(address_of(Pid::new(i32::MAX).unwrap()), None);
        // A child that another test forks in this moment holds a copy until it has executed its program.
        let deadline = crate::sys::clock::Deadline::after(std::time::Duration::from_secs(5));
        while port_use(port) != PortUse::Free {
            assert!(!deadline.has_passed(), "still {:?}", port_use(port));
        }
    }
}
