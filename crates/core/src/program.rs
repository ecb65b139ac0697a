//! The program: the flat buffer a task is compiled into, validated before anything is stepped.
//! `src/program/program.ts` draws the layout.

use crate::generated::common::{FORMAT_VERSION, HEADER_NAMES, MAGIC, header};

const HEADER_BYTES: usize = 4 * header::COUNT;
const TABLE_ALIGNMENT_BYTES: usize = 64;

/// A number of the scalar block.
pub struct ScalarField {
    pub name: &'static str,
    pub min: f64,
    pub max: f64,
    pub integer: bool,
}

/// A table of 4-byte elements.
pub struct TableField {
    pub name: &'static str,
    pub float: bool,
    /// Elements, from the scalar block.
    pub length: fn(&[f64]) -> usize,
    /// u32: every element is below this, unless it is `u32::MAX`.
    pub below: fn(&[f64]) -> u32,
    /// f32: every element lies in `min..=max`.
    pub min: f32,
    pub max: f32,
}

/// The value that a scalar must have, from the scalar block.
pub type Expected = fn(&[f64]) -> f64;

/// The form of a program of one family.
pub struct Layout {
    pub family: u32,
    pub name: &'static str,
    pub hash: u32,
    pub scalars: &'static [ScalarField],
    pub tables: &'static [TableField],
    /// Positions of scalars that others fix, and what they must be.
    pub equals: &'static [(usize, Expected)],
}

/// The fault of a program, and its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramError {
    Header(usize),
    ScalarNotFinite(usize),
    ScalarOutOfRange(usize),
    TableBounds(usize),
    TableNotFinite(usize),
    TableContent(usize),
}

impl ProgramError {
    /// The number a binding hands to its caller: `fault << 16 | index`, plus one.
    pub fn code(self) -> u32 {
        let (fault, index) = match self {
            Self::Header(index) => (0, index),
            Self::ScalarNotFinite(index) => (1, index),
            Self::ScalarOutOfRange(index) => (2, index),
            Self::TableBounds(index) => (3, index),
            Self::TableNotFinite(index) => (4, index),
            Self::TableContent(index) => (5, index),
        };
        ((fault << 16) | index as u32) + 1
    }

    /// A sentence that names the field.
    pub fn describe(self, layout: &Layout) -> String {
        let scalar = |index: usize| layout.scalars.get(index).map_or("?", |field| field.name);
        let table = |index: usize| layout.tables.get(index).map_or("?", |field| field.name);
        match self {
            Self::Header(index) => format!(
                "program header field {} is not what this build expects",
                HEADER_NAMES[index]
            ),
            Self::ScalarNotFinite(index) => {
                format!("program scalar {} is not a finite number", scalar(index))
            }
            Self::ScalarOutOfRange(index) => {
                format!("program scalar {} is outside its range", scalar(index))
            }
            Self::TableBounds(index) => {
                format!(
                    "program table {} does not lie inside the program",
                    table(index)
                )
            }
            Self::TableNotFinite(index) => {
                format!(
                    "program table {} has an element that is not finite",
                    table(index)
                )
            }
            Self::TableContent(index) => {
                format!(
                    "program table {} has a wrong length or element",
                    table(index)
                )
            }
        }
    }
}

/// A validated program.
pub struct Program {
    bytes: Vec<u8>,
    scalars: Vec<f64>,
    tables: Vec<(usize, usize)>,
}

impl Program {
    /// The family number of a program whose header has the right magic and version.
    pub fn family(bytes: &[u8]) -> Result<u32, ProgramError> {
        check_prelude(bytes)?;
        Ok(word(bytes, 4 * header::FAMILY))
    }

    /// Reads and validates: header, finite scalars in range, tables inside the buffer and finite,
    /// checksum; the first field that is wrong is named.
    pub fn new(layout: &Layout, bytes: &[u8]) -> Result<Self, ProgramError> {
        check_header(layout, bytes)?;
        let scalars = read_scalars(layout, bytes)?;
        let tables = read_directory(layout, bytes)?;
        check_content(layout, bytes, &scalars, &tables)?;
        if word(bytes, 4 * header::CHECKSUM) != checksum(&bytes[HEADER_BYTES..]) {
            return Err(ProgramError::Header(header::CHECKSUM));
        }
        Ok(Self {
            bytes: bytes.to_vec(),
            scalars,
            tables,
        })
    }

    pub fn scalars(&self) -> &[f64] {
        &self.scalars
    }

    pub fn table_u32(&self, index: usize) -> Vec<u32> {
        let (offset, length) = self.tables[index];
        words(&self.bytes[offset..offset + 4 * length]).collect()
    }

    pub fn table_f32(&self, index: usize) -> Vec<f32> {
        self.table_u32(index)
            .into_iter()
            .map(f32::from_bits)
            .collect()
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes
        .chunks_exact(4)
        .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

/// Word-wise FNV-1a: any one changed word changes it.
fn checksum(bytes: &[u8]) -> u32 {
    words(bytes).fold(0x811c_9dc5, |hash, word| {
        (hash ^ word).wrapping_mul(0x0100_0193)
    })
}

/// Checks that there is a header, and what in it comes before the family.
fn check_prelude(bytes: &[u8]) -> Result<(), ProgramError> {
    if bytes.len() < HEADER_BYTES {
        return Err(ProgramError::Header(header::TOTAL_BYTES));
    }
    for (index, value) in [
        (header::MAGIC, MAGIC),
        (header::FORMAT_VERSION, FORMAT_VERSION),
    ] {
        if word(bytes, 4 * index) != value {
            return Err(ProgramError::Header(index));
        }
    }
    Ok(())
}

fn check_header(layout: &Layout, bytes: &[u8]) -> Result<(), ProgramError> {
    let refuse = |index| Err(ProgramError::Header(index));
    check_prelude(bytes)?;
    let expected = [
        (header::FAMILY, layout.family),
        (header::LAYOUT_HASH, layout.hash),
        (header::TOTAL_BYTES, bytes.len() as u32),
        (header::SCALAR_COUNT, layout.scalars.len() as u32),
        (header::TABLE_COUNT, layout.tables.len() as u32),
    ];
    for (index, value) in expected {
        if word(bytes, 4 * index) != value {
            return refuse(index);
        }
    }
    let tables_from = HEADER_BYTES + 8 * (layout.scalars.len() + layout.tables.len());
    if bytes.len() < tables_from || !bytes.len().is_multiple_of(4) {
        return refuse(header::TOTAL_BYTES);
    }
    Ok(())
}

fn read_scalars(layout: &Layout, bytes: &[u8]) -> Result<Vec<f64>, ProgramError> {
    let mut scalars = Vec::with_capacity(layout.scalars.len());
    for (index, field) in layout.scalars.iter().enumerate() {
        let at = HEADER_BYTES + 8 * index;
        let bits = u64::from(word(bytes, at)) | (u64::from(word(bytes, at + 4)) << 32);
        let value = f64::from_bits(bits);
        if !value.is_finite() {
            return Err(ProgramError::ScalarNotFinite(index));
        }
        let whole = !field.integer || value.trunc() == value;
        if value < field.min || value > field.max || !whole {
            return Err(ProgramError::ScalarOutOfRange(index));
        }
        scalars.push(value);
    }
    for &(index, fixed) in layout.equals {
        if scalars[index] != fixed(&scalars) {
            return Err(ProgramError::ScalarOutOfRange(index));
        }
    }
    Ok(scalars)
}

fn read_directory(layout: &Layout, bytes: &[u8]) -> Result<Vec<(usize, usize)>, ProgramError> {
    let directory = HEADER_BYTES + 8 * layout.scalars.len();
    let first = directory + 8 * layout.tables.len();
    let mut tables = Vec::with_capacity(layout.tables.len());
    for (index, field) in layout.tables.iter().enumerate() {
        let offset = word(bytes, directory + 8 * index) as usize;
        let length = word(bytes, directory + 8 * index + 4) as usize;
        let end = offset as u64 + 4 * length as u64;
        let inside = offset >= first && end <= bytes.len() as u64;
        if !inside || !offset.is_multiple_of(TABLE_ALIGNMENT_BYTES) {
            return Err(ProgramError::TableBounds(index));
        }
        let data = &bytes[offset..offset + 4 * length];
        if field.float && !words(data).all(|bits| f32::from_bits(bits).is_finite()) {
            return Err(ProgramError::TableNotFinite(index));
        }
        tables.push((offset, length));
    }
    Ok(tables)
}

/// Lengths and elements against what the scalars say.
fn check_content(
    layout: &Layout,
    bytes: &[u8],
    scalars: &[f64],
    tables: &[(usize, usize)],
) -> Result<(), ProgramError> {
    for (index, field) in layout.tables.iter().enumerate() {
        let (offset, length) = tables[index];
        let mut elements = words(&bytes[offset..offset + 4 * length]);
        let below = (field.below)(scalars);
        let right = if field.float {
            elements.all(|bits| (field.min..=field.max).contains(&f32::from_bits(bits)))
        } else {
            below == u32::MAX || elements.all(|element| element < below)
        };
        if !right || length != (field.length)(scalars) {
            return Err(ProgramError::TableContent(index));
        }
    }
    Ok(())
}
