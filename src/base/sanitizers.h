/*
 * Says at compile time which sanitizers watch the program: WITH_ASAN and WITH_TSAN are defined or not. GCC and clang tell it
 * in different ways.
 */
#ifndef BASE_SANITIZERS_H
#define BASE_SANITIZERS_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#else
#ifdef __SANITIZE_ADDRESS__
#define WITH_ASAN 1
#endif
#ifdef __SANITIZE_THREAD__
#define WITH_TSAN 1
#endif
#endif

#endif
