/* The process around the load of a configuration. */
#ifndef CONFIG_SURROUNDINGS_H
#define CONFIG_SURROUNDINGS_H

#include "dns/set.h"

/* The knowledge that a process has of names while it serves, and the means to end a load that waits for them. */
struct config_surroundings {
    /*
     * Sets the addresses that the text of an origin stands for at present: none if it is a service that is not offered.
     * False: the text is not known. NULL: nothing is.
     */
    bool (*known)(void *owner, const char *text, struct dns_set *set);
    void *owner;
    int stop; /* a descriptor: once it can be read, names are not waited for any more; -1: none */
};

#endif
