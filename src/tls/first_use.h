/*
 * At the first use of each algorithm wolfCrypt finds out what the processor has for it, and notes this in variables without
 * any lock. Those first uses are made here, before there are threads.
 */
#ifndef TLS_FIRST_USE_H
#define TLS_FIRST_USE_H

/* Uses each algorithm of TLS once, after wolfSSL_Init. 0, or -ENOSYS: one of them does not work. */
int first_use_all(void);

#endif
