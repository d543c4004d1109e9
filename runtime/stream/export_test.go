package stream

// Reserve lets tests place a deadline around it.
const Reserve = reserve
