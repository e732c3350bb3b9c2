/* Name constraints (RFC 5280 section 4.2.1.10): whether a CA may certify the names of a certificate below it. */
#ifndef PATH_CONSTRAINTS_H
#define PATH_CONSTRAINTS_H

#include "x509/certificate.h"

enum {
    /* Comparisons of a name with a subtree, for one judgement. A chain of 16 KiB holds at most some 1,500 of each, whose
     * product would be 100 ms of work; a site that truly has hundreds of subtrees and names stays far below this. */
    CONSTRAINTS_COMPARISONS_MAX = 32 * 1024,
    /* Bytes of a name and a subtree of one form for which a comparison counts once more, since long ones are more work. */
    CONSTRAINTS_TEXT_UNIT = 128,
    CONSTRAINTS_DIRECTORY_UNIT = 32,
};

/* The name and the constraint that it breaks. */
struct constraints_fault {
    uint8_t tag; /* enum general_name */
    struct bytes name;
    bool excluded;     /* by an excluded subtree; else by being in no permitted one */
    struct bytes base; /* that excluded subtree; of the permitted ones the first of the same form */
    bool too_many;     /* the comparisons ran out before all names were held against all constraints */
};

/*
 * Holds the subject, its emailAddress attributes and the subjectAltName of `certificate` against the constraints of `ca`.
 * True when `ca` may certify all of them. `*comparisons` counts down over calls. A name of a form that is constrained but
 * cannot be compared (otherName, a URI without a host name) breaks the constraint, and so does a URI that two readers could
 * take to be of two hosts.
 */
bool constraints_hold(const struct certificate *ca, const struct certificate *certificate, unsigned *comparisons,
                      struct constraints_fault *fault);

/* Returns the kind of name for people, such as "DNS name". A static text. */
const char *constraints_kind(uint8_t tag);

#endif
