/*
 * Everything that `check` must find: a good file with one thing changed in it, and the one problem that results. Each
 * module's test has the changes that it must notice.
 */
#ifndef TESTS_CONFIG_CHANGES_H
#define TESTS_CONFIG_CHANGES_H

#include "base/check.h"
#include "scene.h"

extern const char changes_good[];

struct change {
    const char *find;
    const char *replacement;
    unsigned line;
    const char *fragment;
};

/* For .init and .fini of each test; between them `changes_scene` is the test's folder. */
extern struct scene changes_scene;
void changes_set_up(void);
void changes_tear_down(void);

/* Fails the test unless the change gives exactly one problem, at its line, with its fragment. */
void changes_assert_problem(const struct change *change);

/*
 * Likewise with exactly one warning, or with none where the fragment is NULL. The file that is changed names own.key, which
 * nobody else can read, instead of server.key.
 */
void changes_assert_warning(const struct change *change);

#define ASSERT_WARNINGS(changes)                                                                                            \
    for (size_t i = 0; i < ARRAY_LENGTH(changes); i++)                                                                      \
    changes_assert_warning(&(changes)[i])

#define ASSERT_PROBLEMS(changes)                                                                                            \
    for (size_t i = 0; i < ARRAY_LENGTH(changes); i++)                                                                      \
    changes_assert_problem(&(changes)[i])

#endif
