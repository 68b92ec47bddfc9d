/* Constants are damaged here, not looked at. */
