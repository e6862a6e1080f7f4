#ifndef REJOINDER_CMALLOC_ALLOCATION_H
#define REJOINDER_CMALLOC_ALLOCATION_H

/* mallopt(3) is glibc's alone, and not in the headers that Swift's Glibc module has. */
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#endif
