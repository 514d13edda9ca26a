//! Protocol Buffers on the wire: numbers, tags and values, read without trust.
//!
//! What is accepted is what the protobuf library accepts, odd encodings included, so that a file
//! does not mean one thing here and another elsewhere.
//!
//! # Source
//!
//! Protocol Buffers, "Encoding".

use std::fmt;

/// How many groups may lie within each other in a message.
const MAX_GROUP_DEPTH: usize = 99;
const MAX_VARINT_BITS: u32 = 70;
/// Bytes that a tag or a length may take; a number may take ten.
const MAX_SHORT_BYTES: usize = 5;

pub(crate) const VARINT: u32 = 0;
pub(crate) const FIXED64: u32 = 1;
pub(crate) const LENGTH_DELIMITED: u32 = 2;
pub(crate) const START_GROUP: u32 = 3;
pub(crate) const END_GROUP: u32 = 4;
pub(crate) const FIXED32: u32 = 5;

/// A message breaks a rule; nothing of it may be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MessageError {
    /// The bytes are not the protobuf that they should be.
    Malformed(String),
    /// A field breaks a rule of the format; the text names field and rule.
    Field(String),
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Malformed(rule) | Self::Field(rule)) = self;
        f.write_str(rule)
    }
}

impl std::error::Error for MessageError {}

pub(crate) fn malformed(rule: &str) -> MessageError {
    MessageError::Malformed(format!("export.bin {rule}"))
}

/// A number of up to ten bytes, as it stands: its highest bits may not fit a word.
#[derive(Clone, Copy)]
pub(crate) struct Varint(u128);

impl Varint {
    /// The whole number.
    pub(crate) fn exact(self) -> u128 {
        self.0
    }

    /// The low 32 bits, as fields of that width keep them.
    pub(crate) fn low_32(self) -> u32 {
        let [a, b, c, d, ..] = self.0.to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    /// The low 32 bits, signed.
    pub(crate) fn signed_32(self) -> i32 {
        i32::from_le_bytes(self.low_32().to_le_bytes())
    }

    /// The low 32 bits, of which the lowest is the sign.
    pub(crate) fn zigzag_32(self) -> i32 {
        let encoded = self.low_32();
        let magnitude = i32::from_le_bytes((encoded >> 1).to_le_bytes());
        if encoded & 1 == 0 {
            magnitude
        } else {
            !magnitude
        }
    }
}

/// Which field a value belongs to, and how the value is written.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct Tag {
    pub(crate) field: u32,
    pub(crate) wire_type: u32,
}

/// What is left to be read of a message.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// The number of bytes that are left.
    pub(crate) fn len(&self) -> usize {
        self.rest.len()
    }

    /// The bytes from here to where `later` has come.
    pub(crate) fn until(&self, later: &Self) -> &'a [u8] {
        let count = self.len().saturating_sub(later.len());
        self.rest.get(..count).unwrap_or_default()
    }

    pub(crate) fn varint(&mut self) -> Result<Varint, MessageError> {
        let mut value = 0;
        for shift in (0..MAX_VARINT_BITS).step_by(7) {
            let (&byte, rest) = self
                .rest
                .split_first()
                .ok_or_else(|| malformed("is cut off within a number"))?;
            self.rest = rest;
            value |= u128::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(Varint(value));
            }
        }
        Err(malformed("holds a number that does not end"))
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], MessageError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| malformed("is cut off within a field"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn tag(&mut self) -> Result<Tag, MessageError> {
        let tag = self.tag_in_group()?;
        if tag.field == 0 {
            return Err(malformed("holds a field without a number"));
        }
        Ok(tag)
    }

    /// Reads a tag where nobody looks at numbers.
    fn tag_in_group(&mut self) -> Result<Tag, MessageError> {
        let tag = self.short_varint()?;
        Ok(Tag {
            field: tag >> 3,
            wire_type: tag & 7,
        })
    }

    /// Reads a length and as many bytes.
    pub(crate) fn delimited(&mut self) -> Result<&'a [u8], MessageError> {
        let length = self.short_varint()?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Reads a number that fits 32 bits and is not longer than such numbers are.
    fn short_varint(&mut self) -> Result<u32, MessageError> {
        let before = *self;
        let number = self.varint()?.exact();
        if before.until(self).len() > MAX_SHORT_BYTES {
            return Err(malformed("holds a tag or length that is too long"));
        }
        u32::try_from(number).map_err(|_| malformed("holds a tag or length beyond 32 bits"))
    }

    /// Passes over the value of a field that is not known.
    ///
    /// Groups are walked rather than recursed into: their depth is the file's choice.
    pub(crate) fn skip(&mut self, tag: Tag) -> Result<(), MessageError> {
        let mut groups = Vec::new();
        let mut tag = tag;
        loop {
            match tag.wire_type {
                VARINT => self.varint().map(drop)?,
                FIXED64 => self.take(8).map(drop)?,
                LENGTH_DELIMITED => self.delimited().map(drop)?,
                FIXED32 => self.take(4).map(drop)?,
                START_GROUP if groups.len() < MAX_GROUP_DEPTH => groups.push(tag.field),
                END_GROUP if groups.pop() == Some(tag.field) => {}
                _ => return Err(malformed("holds a field of a wire type that cannot be")),
            }
            if groups.is_empty() {
                return Ok(());
            }
            tag = self.tag_in_group()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn varint(bytes: &[u8]) -> Option<u128> {
        Reader::new(bytes).varint().ok().map(Varint::exact)
    }

    #[test]
    fn numbers_have_seven_bits_a_byte_and_at_most_ten_bytes() {
        assert_eq!(varint(&[0x7f]), Some(127));
        assert_eq!(varint(&[0x96, 0x01]), Some(150));
        assert_eq!(varint(&[0x80, 0x00]), Some(0));
        assert_eq!(varint(&[0xff; 10]), None);
        assert_eq!(varint(&[0x80]), None);
        assert_eq!(
            varint(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
            Some(u128::from(u64::MAX))
        );
    }

    #[test]
    fn signs_are_read_in_both_ways() {
        assert_eq!(Varint(u128::from(u64::MAX)).signed_32(), -1);
        assert_eq!([0, 1, 2, 3].map(|n| Varint(n).zigzag_32()), [0, -1, 1, -2]);
        assert_eq!(Varint(u128::from(u32::MAX)).zigzag_32(), i32::MIN);
    }

    fn skipped(bytes: &[u8]) -> Option<usize> {
        let mut reader = Reader::new(bytes);
        let tag = reader.tag().ok()?;
        reader.skip(tag).ok().map(|()| reader.len())
    }

    #[test]
    fn unknown_values_of_every_type_are_passed_over() {
        assert_eq!(skipped(b"\x50\x96\x01!"), Some(1));
        assert_eq!(skipped(b"\x51\0\0\0\0\0\0\0\0!"), Some(1));
        assert_eq!(skipped(b"\x52\x02ab!"), Some(1));
        assert_eq!(skipped(b"\x55\0\0\0\0!"), Some(1));
        assert_eq!(skipped(b"\x53\x5b\x08\x01\x5c\x54!"), Some(1));
        assert_eq!(skipped(b"\x53\x00\x01\x54!"), Some(1));
    }

    #[test]
    fn what_does_not_end_where_it_should_is_refused() {
        for bytes in [
            b"\x50".as_slice(),
            b"\x51\0\0\0\0\0\0\0",
            b"\x52\x03ab",
            b"\x53\x08\x01",
            b"\x53\x5c",
            b"\x54",
            b"\x56",
            b"\x57",
            b"\x00\x00",
            b"\xd0\x80\x80\x80\x80\x00\x00",
        ] {
            assert_eq!(skipped(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn groups_lie_within_each_other_up_to_a_depth() {
        let nested = |depth| [vec![0x53; depth], vec![0x54; depth]].concat();

        assert_eq!(skipped(&nested(99)), Some(0));
        assert_eq!(skipped(&nested(100)), None);
    }
}
