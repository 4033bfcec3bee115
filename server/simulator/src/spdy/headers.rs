//! Header blocks: names and values with their lengths, compressed by zlib with the dictionary of SPDY/3. Each direction is one zlib stream for
//! all blocks of a session, so every block must be read, and in order.

use std::sync::LazyLock;

use bytes::{Buf as _, BufMut as _, Bytes};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::Malformed;

/// Bytes of a block when it is read. kubectl's have about 60.
const LONGEST: usize = 16 << 10;

/// The dictionary begins with these, each with its length before it.
const WORDS: &str = "options|head|post|put|delete|trace|accept|accept-charset|accept-encoding|accept-language|accept-ranges|age|allow|authorization|cache-control|connection|content-base|content-encoding|content-language|content-length|content-location|content-md5|content-range|content-type|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|location|max-forwards|pragma|proxy-authenticate|proxy-authorization|range|referer|retry-after|server|te|trailer|transfer-encoding|upgrade|user-agent|vary|via|warning|www-authenticate|method|get|status|200 OK|version|HTTP/1.1|url|public|set-cookie|keep-alive|origin";
/// The dictionary ends with these.
const PHRASES: &str = "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

static DICTIONARY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut dictionary = Vec::new();
    for word in WORDS.split('|') {
        put_text(&mut dictionary, word);
    }
    dictionary.extend_from_slice(PHRASES.as_bytes());
    dictionary
});

fn put_text(block: &mut Vec<u8>, text: &str) {
    block.put_u32(u32::try_from(text.len()).unwrap_or_default());
    block.put_slice(text.as_bytes());
}

/// Reads the blocks of one direction.
#[derive(Debug)]
pub struct Reader(Decompress);

impl Reader {
    pub fn new() -> Self {
        Self(Decompress::new(true))
    }

    /// The names, in lower case, and the values of the next block.
    pub fn read(&mut self, block: &[u8]) -> Result<Vec<(String, String)>, Malformed> {
        let plain = self.inflate(block)?;
        let mut rest = plain.as_slice();
        let count = take_number(&mut rest)?;
        let mut headers = Vec::new();
        for _ in 0..count {
            headers.push((take_text(&mut rest)?.to_ascii_lowercase(), take_text(&mut rest)?));
        }
        Ok(headers)
    }

    fn inflate(&mut self, block: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut plain = Vec::with_capacity(LONGEST);
        let mut rest = block;
        while !rest.is_empty() {
            let before = self.0.total_in();
            let result = self.0.decompress_vec(rest, &mut plain, FlushDecompress::Sync);
            let used = usize::try_from(self.0.total_in() - before).unwrap_or(usize::MAX);
            rest = rest.get(used..).unwrap_or_default();
            match result {
                Ok(Status::Ok) if used > 0 => {}
                // The first block of a session asks for the dictionary.
                Err(error) if error.needs_dictionary().is_some() => {
                    self.0.set_dictionary(&DICTIONARY).map_err(|_| Malformed("headers with another dictionary"))?;
                }
                _ => return Err(Malformed("headers that do not unpack")),
            }
        }
        Ok(plain)
    }
}

fn take_number(rest: &mut &[u8]) -> Result<usize, Malformed> {
    if rest.len() < 4 {
        return Err(Malformed("headers that are cut off"));
    }
    Ok(rest.get_u32() as usize)
}

fn take_text(rest: &mut &[u8]) -> Result<String, Malformed> {
    let length = take_number(rest)?;
    let (text, after) = rest.split_at_checked(length).ok_or(Malformed("headers that are cut off"))?;
    *rest = after;
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// Writes the blocks of one direction.
#[derive(Debug)]
pub struct Writer(Compress);

impl Writer {
    pub fn new() -> Result<Self, Malformed> {
        let mut compress = Compress::new(Compression::best(), true);
        compress.set_dictionary(&DICTIONARY).map_err(|_| Malformed("the dictionary is not taken"))?;
        Ok(Self(compress))
    }

    pub fn write(&mut self, headers: &[(&str, &str)]) -> Result<Bytes, Malformed> {
        let mut plain = Vec::new();
        plain.put_u32(u32::try_from(headers.len()).unwrap_or_default());
        for (name, value) in headers {
            put_text(&mut plain, name);
            put_text(&mut plain, value);
        }
        // Room for text that does not shrink, so that one call takes and flushes all of it.
        let mut block = Vec::with_capacity(plain.len() + 64);
        self.0.compress_vec(&plain, &mut block, FlushCompress::Sync).map_err(|_| Malformed("headers that do not pack"))?;
        Ok(block.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dictionary_is_the_one_of_the_protocol() {
        assert_eq!(DICTIONARY.len(), 1423);
        assert_eq!(Compress::new(Compression::best(), true).set_dictionary(&DICTIONARY).unwrap(), 0xe3c6_a7c2);
    }

    #[test]
    fn blocks_are_read_in_their_order() {
        let (mut writer, mut reader) = (Writer::new().unwrap(), Reader::new());
        for request in ["0", "1", "2"] {
            let block = writer.write(&[("streamtype", "data"), ("port", "8888"), ("requestid", request)]).unwrap();
            let seen = reader.read(&block).unwrap();
            let expected = [("streamtype", "data"), ("port", "8888"), ("requestid", request)];
            assert_eq!(seen, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        assert!(reader.read(&writer.write(&[]).unwrap()).unwrap().is_empty());
    }

    /// Written by Python's zlib with the dictionary: `zlib.compressobj(9, zdict=...)`, flushed with `Z_SYNC_FLUSH`.
    #[test]
    fn a_block_of_another_library_is_read() {
        let seen = Reader::new().read(&BLOCK).unwrap();
        assert_eq!(seen, [("port".to_owned(), "8888".to_owned()), ("streamtype".to_owned(), "error".to_owned())]);
    }

    #[test]
    fn nonsense_is_refused() {
        for block in [&b"nonsense"[..], b"\x78\xbb\x00\x00\x00\x01\x00", &BLOCK[..BLOCK.len() - 12]] {
            Reader::new().read(block).unwrap_err();
        }
    }

    const BLOCK: [u8; 40] = [
        0x78, 0xf9, 0xe3, 0xc6, 0xa7, 0xc2, 0x02, 0xe5, 0x0e, 0x50, 0x12, 0x0f, 0xc8, 0x2f, 0x02, 0x27, 0x75, 0x0b, 0x20, 0x00, 0xa7, 0xbb, 0x92,
        0xa2, 0xd4, 0xc4, 0x5c, 0x68, 0xd1, 0xc2, 0x9a, 0x0a, 0x0a, 0x78, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff,
    ];
}
