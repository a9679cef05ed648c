# Reads columns from the file that is named first and prints the shrinkage of their correlations by corpcor, the package
# of the authors of the estimate (Schaefer & Strimmer 2005).
suppressMessages(library(corpcor))
columns <- as.matrix(read.csv(commandArgs(trailingOnly = TRUE)[1]))
cat(sprintf("%.17g", estimate.lambda(columns, verbose = FALSE)))
