//! How actions come into a batch: checked whole, then copied, or refused and nothing copied.

use numpy::{Element, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

/// The allowed numbers of an action row, in the space that Python shows.
#[derive(FromPyObject)]
pub struct ActionRows {
    names: Vec<String>,
    /// Whether rows are indices, and refused outside `low ..= high`; else real, and clipped later.
    is_index: bool,
    low: Vec<i64>,
    high: Vec<i64>,
    /// The number that is added to an index of Python's to give the program's.
    shift: Vec<i64>,
}

/// Numbers as NumPy has them.
trait Number: Element + Copy {
    /// The number as an integer; `None` where it is none.
    fn integer(self) -> Option<i64>;
    fn real(self) -> f64;
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Number for $type {
            #[inline(always)]
            fn integer(self) -> Option<i64> {
                i64::try_from(self).ok()
            }
            #[inline(always)]
            fn real(self) -> f64 {
                self as f64
            }
        }
    )*};
}
integers!(i8, u8, i16, u16, i32, u32, i64, u64);

macro_rules! reals {
    ($($type:ty),*) => {$(
        impl Number for $type {
            #[inline(always)]
            fn integer(self) -> Option<i64> {
                let value = f64::from(self);
                (value.trunc() == value && value.abs() < 2e15).then_some(value as i64)
            }
            #[inline(always)]
            fn real(self) -> f64 {
                f64::from(self)
            }
        }
    )*};
}
reals!(f32, f64);

impl ActionRows {
    pub fn is_index(&self) -> bool {
        self.is_index
    }

    pub fn width(&self) -> usize {
        self.names.len()
    }

    /// Checks an array of a batch's actions and copies it. It must be a NumPy array.
    pub fn write(&self, actions: &Bound<'_, PyAny>, target: &mut [u32]) -> PyResult<()> {
        macro_rules! try_each {
            ($($type:ty),*) => {$(
                if let Ok(array) = actions.cast::<PyArrayDyn<$type>>() {
                    return self.write_array(array, target);
                }
            )*};
        }
        try_each!(i64, i32, f32, f64, u8, i8, u16, i16, u32, u64);
        Err(PyTypeError::new_err(format!(
            "actions are of {}: an array of numbers is needed",
            actions.get_type().name()?
        )))
    }

    fn write_array<T: Number>(
        &self,
        array: &Bound<'_, PyArrayDyn<T>>,
        target: &mut [u32],
    ) -> PyResult<()> {
        let num_envs = target.len() / self.width();
        let shape = array.shape();
        let is_row = shape == [num_envs] && self.width() == 1;
        if !is_row && shape != [num_envs, self.width()] {
            let needed: &[usize] = match self.width() {
                1 => &[num_envs],
                width => &[num_envs, width],
            };
            let (given, needed) = (tuple(shape), tuple(needed));
            let message = format!("actions have shape {given}: {needed} is needed");
            return Err(PyValueError::new_err(message));
        }
        let view = array.readonly();
        match view.as_slice() {
            Ok(values) if values.as_ptr().cast() != target.as_ptr() => {
                self.write_values(values, target)
            }
            // Not in one piece, or the channel itself.
            _ => {
                let values: Vec<T> = view.as_array().iter().copied().collect();
                self.write_values(&values, target)
            }
        }
    }

    /// Checks rows of numbers and copies them.
    fn write_values<T: Number>(&self, values: &[T], target: &mut [u32]) -> PyResult<()> {
        let width = self.width();
        if self.is_index && width == 1 {
            // One range for all: this loop runs over every action of every step.
            let (low, high, shift) = (self.low[0], self.high[0], self.shift[0]);
            let is_inside = |value: &T| value.integer().is_some_and(|i| i >= low && i <= high);
            if let Some(k) = values.iter().position(|value| !is_inside(value)) {
                return Err(self.refusal(k, values[k].real()));
            }
            for (word, value) in target.iter_mut().zip(values) {
                *word = (value.integer().unwrap_or(low) + shift) as i32 as u32;
            }
            return Ok(());
        }
        for (k, value) in values.iter().enumerate() {
            let j = k % width;
            let is_right = if self.is_index {
                let inside = |i: i64| i >= self.low[j] && i <= self.high[j];
                value.integer().is_some_and(inside)
            } else {
                (value.real() as f32).is_finite()
            };
            if !is_right {
                return Err(self.refusal(k, value.real()));
            }
        }
        for (k, (word, value)) in target.iter_mut().zip(values).enumerate() {
            *word = if self.is_index {
                (value.integer().unwrap_or(0) + self.shift[k % width]) as i32 as u32
            } else {
                (value.real() as f32).to_bits()
            };
        }
        Ok(())
    }

    /// Takes one action of one environment: a number, or an array of the row.
    pub fn write_one(&self, action: &Bound<'_, PyAny>, target: &mut [u32]) -> PyResult<()> {
        if self.width() == 1 {
            if let Ok(value) = action.extract::<i64>() {
                return self.write_values(&[value], target);
            }
            if let Ok(value) = action.extract::<f64>() {
                return self.write_values(&[value], target);
            }
        }
        let Ok(row) = action.extract::<Vec<f64>>() else {
            return Err(PyTypeError::new_err(format!(
                "action is of type {}: {} are needed",
                action.get_type().name()?,
                self.count()
            )));
        };
        if row.len() != self.width() {
            let numbers = row.len();
            let needed = self.count();
            return Err(PyValueError::new_err(format!(
                "action has {numbers} numbers: {needed} are needed"
            )));
        }
        self.write_values(&row, target)
    }

    fn count(&self) -> String {
        format!("{} ({})", self.width(), self.names.join(", "))
    }

    fn refusal(&self, k: usize, value: f64) -> PyErr {
        let (env, j) = (k / self.width(), k % self.width());
        let needed = if self.is_index {
            format!("an integer from {} to {}", self.low[j], self.high[j])
        } else {
            "a finite number".into()
        };
        let name = &self.names[j];
        PyValueError::new_err(format!(
            "environment {env}: action {name} is {value}: {needed} is needed"
        ))
    }
}

/// A shape as Python writes it.
fn tuple(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    format!("({}{comma})", sizes.join(", "))
}
