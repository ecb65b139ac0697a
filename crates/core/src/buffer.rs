//! Memory that a batch shares with its caller: zeroed, 64-byte aligned, never moved.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

const ALIGNMENT_BYTES: usize = 64;

/// A fixed array of plain numbers. It hands out raw pointers because a JavaScript typed array and
/// the core look at the same memory; whoever makes references from them says why they are unique.
pub struct Buffer<T> {
    data: NonNull<T>,
    length: usize,
}

// SAFETY: the buffer owns its memory; references into it are made only by `Store::block`, which
// gives every thread disjoint parts.
unsafe impl<T: Send> Send for Buffer<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Buffer<T> {}

/// Types for which all-zero bytes are a value.
pub trait Number: Copy + Send + Sync {}
impl Number for u8 {}
impl Number for u32 {}
impl Number for f32 {}
impl Number for f64 {}

impl<T: Number> Buffer<T> {
    /// `length` zeros.
    pub fn zeroed(length: usize) -> Self {
        if length == 0 {
            return Self {
                data: NonNull::dangling(),
                length,
            };
        }
        let layout = Self::layout(length);
        // SAFETY: the layout has a size above zero.
        let data = unsafe { alloc_zeroed(layout) }.cast::<T>();
        let Some(data) = NonNull::new(data) else {
            handle_alloc_error(layout)
        };
        Self { data, length }
    }

    fn layout(length: usize) -> Layout {
        let bytes = length
            .checked_mul(size_of::<T>())
            .expect("buffer size overflows");
        Layout::from_size_align(bytes, ALIGNMENT_BYTES).expect("buffer size overflows")
    }
}

impl<T> Buffer<T> {
    pub fn as_ptr(&self) -> *mut T {
        self.data.as_ptr()
    }

    pub fn len(&self) -> usize {
        self.length
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        if self.length > 0 {
            let bytes = self.length * size_of::<T>();
            // SAFETY: allocated in `zeroed` with this size and alignment.
            unsafe {
                let layout = Layout::from_size_align_unchecked(bytes, ALIGNMENT_BYTES);
                dealloc(self.data.as_ptr().cast(), layout);
            }
        }
    }
}
