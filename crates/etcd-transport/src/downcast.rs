//! Seeing that a generic type is a known one.
//!
//! What a seam gets is generic, and often already of the type that the seam makes: then it is taken as it is,
//! and not boxed once more. (Specialization would say this at compile time, if it were stable.)

use std::any::Any;

/// Turns a value into the type that it already has; `Err` is the value where it has another.
pub(crate) fn downcast<T: 'static, U: 'static>(value: T) -> Result<U, T> {
    let mut slot = Some(value);
    let taken = (&mut slot as &mut dyn Any).downcast_mut::<Option<U>>().and_then(Option::take);
    match (taken, slot) {
        (Some(value), _) => Ok(value),
        (None, Some(value)) => Err(value),
        (None, None) => unreachable!("the slot was filled above, and nothing was taken from it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_the_wanted_type_is_taken_and_any_other_comes_back() {
        assert_eq!(downcast::<u32, u32>(7), Ok(7));
        assert_eq!(downcast::<u32, u64>(7), Err(7));
    }
}
