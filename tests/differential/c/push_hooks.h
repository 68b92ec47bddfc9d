/* Hooks of push.c: none, as in the build that users get. */
#ifndef PUSH_HOOKS_H
#define PUSH_HOOKS_H

#endif /* PUSH_HOOKS_H */
